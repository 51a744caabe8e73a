"""What draws the next step of a field from what its head predicts of it, beside other fields; no PyTorch."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from importlib import import_module
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unroll.config.head import HeadSettings
from unroll.config.sampling import Sampling
from unroll.data.spec import InputSpec
from unroll.data.tokenizers import Tokenizer
from unroll.generation.engine import Ids
from unroll.generation.rules import Logits

Values = NDArray[Any]


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
    # how a program without this package draws, for `unroll export`: the body of a function of a `field` as `about` has
    # it, the `outputs` (·,) at a step and whether that is the `first` one, which returns the value that is read next,
    # and the cells of its row, or None where the sequence ends; `draw` is a generator of NumPy's
    example: ClassVar[str | None] = None

    @abstractmethod
    def __init__(self, drawn: Drawn, lanes: Lanes) -> None: ...

    @classmethod
    def about(cls, drawn: Drawn) -> dict[str, Any]:
        """What `example` must know of a field, as JSON."""
        return {}

    @abstractmethod
    def __call__(self, lanes: Ids, outputs: Logits) -> Next:
        """The head's raw outputs (n, ·) at these lanes' last step → their next one; one call for each step."""


def draw_of(head: HeadSettings) -> type[BaseDraw]:
    """The class `Draw` of a kind of head."""
    found: type[BaseDraw] = import_module(head.draw).Draw
    return found
