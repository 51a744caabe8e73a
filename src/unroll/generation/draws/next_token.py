"""Symbols of a text."""

from collections.abc import Sequence
from typing import Any

from unroll.config.sampling import Sampling
from unroll.generation.draw import Drawn
from unroll.generation.pattern import Pattern, pattern_of
from unroll.generation.symbol_draw import SYMBOL, SymbolDraw
from unroll.generation.symbols import never_drawn


class Draw(SymbolDraw):
    example = f"""{SYMBOL}part = bytes(field["symbols"][symbol])
if "text" not in field:     # of a character in parts, the last one has it
    field["text"] = codecs.getincrementaldecoder("utf-8")("replace")
return symbol, [field["text"].decode(part)]
"""

    @classmethod
    def about(cls, drawn: Drawn) -> dict[str, Any]:
        assert drawn.tokenizer is not None
        return super().about(drawn) | {"symbols": [[*(part or b"")] for part in drawn.tokenizer.vocabulary]}

    @classmethod
    def never(cls, drawn: Drawn) -> Sequence[int]:
        assert drawn.tokenizer is not None
        return never_drawn(drawn.tokenizer)

    def pattern(self, drawn: Drawn, sampling: Sampling) -> Pattern | None:
        assert drawn.tokenizer is not None
        return pattern_of(sampling, drawn.tokenizer)
