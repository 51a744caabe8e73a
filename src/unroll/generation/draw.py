"""What draws the next step of a field from what its head predicts of it, beside other fields; no PyTorch."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from importlib import import_module
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unroll.base.errors import UserError
from unroll.config.head import HeadSettings
from unroll.config.sampling import Sampling
from unroll.data.encoders import Scaler, scaler_of
from unroll.data.spec import InputSpec
from unroll.data.tokenizers import Tokenizer
from unroll.generation.engine import Ids
from unroll.generation.loop import BLOCK, Drawing
from unroll.generation.pattern import Pattern
from unroll.generation.rules import Logits, lane_generator

Values = NDArray[Any]
LARGEST = 1e30      # scaled, of what can still be read


class Drawn(NamedTuple):
    """A field that is drawn, whatever the samples are."""

    field: InputSpec
    head: HeadSettings
    tokenizer: Tokenizer | None


class Lanes(NamedTuple):
    """The samples that are drawn side by side."""

    sampling: Sampling
    prompts: Sequence[Values]               # (T, …) of each, from the row before the first step on
    seeds: Sequence[tuple[int, ...]]        # of each lane's generator, for this field alone


class Next(NamedTuple):
    """The next step of some lanes, as the network reads it."""

    values: Values                              # (n, …)
    kept: NDArray[np.bool_] | None = None       # (n,) whether it is part of the sequence; None: all are
    on: NDArray[np.bool_] | None = None         # (n,) whether anything follows; None: after all that are kept


class BaseDraw(ABC):
    """A kind of head whose `draw` names a module has a class `Draw` derived from this one there.

    A lane's draws follow from its own seed, and not from the lanes beside it.
    """

    symbols: ClassVar[bool] = False     # whether the rules of symbols apply: top_k, …

    @abstractmethod
    def __init__(self, drawn: Drawn, lanes: Lanes) -> None: ...

    @abstractmethod
    def __call__(self, lanes: Ids, outputs: Logits) -> Next:
        """The head's raw outputs (n, ·) at these lanes' last step → their next one; one call for each step."""


class SymbolDraw(BaseDraw):
    """Symbols by the sampling rules; `first` is the number of the first one that outputs are of."""

    symbols = True
    first = 0

    def __init__(self, drawn: Drawn, lanes: Lanes) -> None:
        prompts = [self.ids(prompt) for prompt in lanes.prompts]
        self._end = self.end(drawn)
        # the data has no sequence without a step
        self._empty = None if self._end is None else np.array([len(prompt) == 1 for prompt in prompts])
        self._drawing = Drawing(lanes.sampling, prompts, lanes.seeds, self.never(drawn), self._end,
                                self.pattern(drawn, lanes.sampling), False)

    @classmethod
    def ids(cls, values: Values) -> Ids:
        """Steps (T, …) as the network reads them → numbers of outputs (T,)."""
        return values.reshape(len(values)) - cls.first

    @classmethod
    def values(cls, ids: Ids) -> Values:
        """The inverse of `ids`."""
        return np.asarray(ids + cls.first, np.int64)

    @classmethod
    def logits(cls, outputs: Logits) -> Logits:
        """The head's raw outputs as logits of every symbol."""
        return outputs

    @classmethod
    def end(cls, drawn: Drawn) -> int | None:
        """The output that ends the sequence."""
        return None if drawn.field.end is None else drawn.field.end - cls.first

    @classmethod
    def never(cls, drawn: Drawn) -> Sequence[int]:
        """Outputs that are never drawn."""
        return ()

    def pattern(self, drawn: Drawn, sampling: Sampling) -> Pattern | None:
        """What the symbols have to match."""
        return None

    def __call__(self, lanes: Ids, outputs: Logits) -> Next:
        logits = self.logits(outputs)
        if self._empty is not None:     # at the first step
            logits = logits.copy()
            logits[np.flatnonzero(self._empty[lanes]), self._end] = -np.inf
            self._empty = None
        drawn, kept, on = self._drawing(lanes, logits)
        among = None if len(kept.lanes) == len(lanes) else np.isin(lanes, kept.lanes)
        return Next(self.values(drawn), among, on)


class NumberDraw(BaseDraw):
    """`size` real numbers a step, drawn from as many uniform ones, or `count`."""

    def __init__(self, drawn: Drawn, lanes: Lanes, count: int | None = None) -> None:
        self.size, self.temperature, self.greedy = drawn.field.size, lanes.sampling.temperature, lanes.sampling.greedy
        self.scaler: Scaler = scaler_of(drawn.field)
        self._generators = [lane_generator(*seeds) for seeds in lanes.seeds]
        self._uniform = np.zeros((BLOCK, len(lanes.seeds), count or self.size))
        self._steps = 0

    def uniform(self, lanes: Ids) -> NDArray[np.float64]:
        """(n, count) numbers in [0, 1), each row from its lane's own generator; one call for each step."""
        at = self._steps % BLOCK
        self._steps += 1
        for lane in lanes if at == 0 else ():
            self._uniform[:, lane] = self._generators[lane].random(self._uniform[:, lane].shape)
        return np.asarray(self._uniform[at, lanes])

    def checked(self, drawn: NDArray[np.float64]) -> NDArray[np.float32]:
        """Values that a network can read; raises `UserError` on a sequence without bounds."""
        if not (np.abs(drawn) < LARGEST).all():
            raise UserError("bad-number", "sample", "a sequence has gone so far from the training data that nothing "
                            "follows. Draw fewer steps, or at a lower temperature.")
        return drawn.astype(np.float32)


def draw_of(head: HeadSettings) -> type[BaseDraw]:
    """The class `Draw` of a kind of head."""
    found: type[BaseDraw] = import_module(head.draw).Draw
    return found
