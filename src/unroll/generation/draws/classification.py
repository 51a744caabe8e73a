"""Categories, whose classes do without the one for all others, number 0."""

import numpy as np
from numpy.typing import NDArray

from unroll.generation.draw import SymbolDraw, Values
from unroll.generation.engine import Ids
from unroll.generation.rules import Logits


class Draw(SymbolDraw):
    first = 1

    def __call__(self, lanes: Ids, outputs: Logits) -> tuple[Values, NDArray[np.bool_] | None]:
        # of two classes there is one logit, that of the second
        logits = np.concatenate([np.zeros_like(outputs), outputs], axis=1) if outputs.shape[1] == 1 else outputs
        drawn, on = super().__call__(lanes, logits)
        return drawn[:, None], on       # one column
