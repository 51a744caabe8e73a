"""Symbols of a text."""

from collections.abc import Sequence

from unroll.generation.draw import Drawn, SymbolDraw
from unroll.generation.symbols import never_drawn


class Draw(SymbolDraw):
    def never(self, drawn: Drawn) -> Sequence[int]:
        assert drawn.tokenizer is not None
        return never_drawn(drawn.tokenizer)
