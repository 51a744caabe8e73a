"""Categories, whose classes do without the one for all others, number 0."""

import numpy as np

from unroll.generation.draw import SymbolDraw, Values
from unroll.generation.engine import Ids
from unroll.generation.rules import Logits


class Draw(SymbolDraw):
    first = 1

    @classmethod
    def values(cls, ids: Ids) -> Values:
        return super().values(ids)[:, None]     # one column

    @classmethod
    def logits(cls, outputs: Logits) -> Logits:
        # of two classes there is one logit, that of the second
        return np.concatenate([np.zeros_like(outputs), outputs], axis=1) if outputs.shape[1] == 1 else outputs
