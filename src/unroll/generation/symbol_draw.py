"""Draws of symbols, by the sampling rules."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from unroll.config.sampling import Sampling
from unroll.generation.draw import BaseDraw, Drawn, Lanes, Next, Values
from unroll.generation.engine import Ids
from unroll.generation.loop import Drawing
from unroll.generation.pattern import Pattern
from unroll.generation.rules import Logits

# the largest of the logits plus Gumbel noise is a draw from their softmax (Gumbel, 1954)
SYMBOL = """outputs[field["never"]] = -np.inf
if first and field["end"] is not None:      # no sequence is empty
    outputs[field["end"]] = -np.inf
symbol = int(np.argmax(outputs + TEMPERATURE * draw.gumbel(size=len(outputs))))
if symbol == field["end"]:
    return symbol, None
"""


class SymbolDraw(BaseDraw):
    """`first` is the number of the first one that outputs are of."""

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
    def about(cls, drawn: Drawn) -> dict[str, Any]:
        return {"number_of_first": cls.first, "end": cls.end(drawn), "never": [int(each) for each in cls.never(drawn)]}

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
