"""Python source, tagged."""

from typing import ClassVar, Literal

from pydantic import PositiveInt

from unroll.config.data import Input, SplitSettings, SplitShare, Target
from unroll.config.tokenizer import Tokenizer


class Settings(SplitSettings):
    """The Python source of an installed package, each character tagged with the type of the token it is part of."""

    FIXED: ClassVar[tuple[Input, Target] | None] = ("tokens", "tag")

    kind: Literal["code"]
    package: str
    version: str
    longest: PositiveInt            # characters of source that are kept
    tokenizer: Tokenizer
    test: SplitShare
