"""Symbols of a text."""

from collections.abc import Sequence

from unroll.config.sampling import Sampling
from unroll.generation.draw import Drawn, SymbolDraw
from unroll.generation.pattern import Pattern, pattern_of
from unroll.generation.symbols import never_drawn


class Draw(SymbolDraw):
    @classmethod
    def never(cls, drawn: Drawn) -> Sequence[int]:
        assert drawn.tokenizer is not None
        return never_drawn(drawn.tokenizer)

    def pattern(self, drawn: Drawn, sampling: Sampling) -> Pattern | None:
        assert drawn.tokenizer is not None
        return pattern_of(sampling, drawn.tokenizer)
