"""Categories, whose classes do without the one for all others, number 0."""

from typing import Any

import numpy as np

from unroll.generation.draw import Drawn, Values
from unroll.generation.engine import Ids
from unroll.generation.rules import Logits
from unroll.generation.symbol_draw import SYMBOL, SymbolDraw


class Draw(SymbolDraw):
    first = 1
    example = f"""if len(outputs) == 1:       # of two classes
    outputs = np.array([0, outputs[0]])
{SYMBOL}return [symbol + field["number_of_first"]], [field["classes"][symbol]]
"""

    @classmethod
    def about(cls, drawn: Drawn) -> dict[str, Any]:
        (names,) = drawn.field.categories or ((),)
        return super().about(drawn) | {"classes": names}

    @classmethod
    def values(cls, ids: Ids) -> Values:
        return super().values(ids)[:, None]     # one column

    @classmethod
    def logits(cls, outputs: Logits) -> Logits:
        # of two classes there is one logit, that of the second
        return np.concatenate([np.zeros_like(outputs), outputs], axis=1) if outputs.shape[1] == 1 else outputs
