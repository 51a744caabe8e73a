"""A step of several fields at once."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from unroll.generation.draw import BaseDraw, Values
from unroll.generation.engine import Ids
from unroll.generation.loop import Symbols
from unroll.generation.one_field import records
from unroll.generation.rules import Logits


class RowDrawing:
    """A step of all fields at once, as `unroll.generation.loop.walk` draws it."""

    def __init__(self, draws: Mapping[str, BaseDraw], length: int | None) -> None:
        self._draws, self._left = draws, length

    def __call__(self, lanes: Ids, logits: Logits) -> tuple[Values, Symbols, NDArray[np.bool_] | None]:
        drawn, kept, on = {}, np.ones(len(lanes), bool), np.ones(len(lanes), bool)
        outputs: Values = logits        # records
        for name, draw in self._draws.items():
            drawn[name], own_kept, own_on = draw(lanes, outputs[name])
            kept = kept if own_kept is None else kept & own_kept
            on = on if own_on is None else on & own_on
        rows = records(drawn)
        self._left = None if self._left is None else self._left - 1
        return rows, Symbols(lanes[kept], rows[kept], None), on & kept & (self._left != 0)
