"""Generated lines."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, PositiveInt

from unroll.config.data import Input, SplitSettings, SplitShare, Target
from unroll.config.tokenizer import Tokenizer


class Settings(SplitSettings):
    """Generated: lines of random letters with marks, each followed by the number of marks so far, modulo 10."""

    FIXED: ClassVar[tuple[Input, Target] | None] = ("tokens", "next")

    kind: Literal["counting"]
    lines: PositiveInt
    shortest: PositiveInt           # characters of a line
    longest: PositiveInt
    letters: Annotated[int, Field(ge=1, le=26)]
    gap: Annotated[float, Field(gt=1)]      # mean number of letters from one mark to the next
    tokenizer: Tokenizer
    test: SplitShare

    def _fixed(self) -> str | None:
        if self.shortest > self.longest:
            return f"shortest: {self.shortest} is more than longest, {self.longest}; lower it"
        return super()._fixed()
