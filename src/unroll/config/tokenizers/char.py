from typing import Literal

from pydantic import PositiveInt

from unroll.config.tokenizer import TokenizerSettings


class Settings(TokenizerSettings):
    """The characters of the training split and one unknown symbol."""

    kind: Literal["char"]
    min_count: PositiveInt      # rarer characters become the unknown symbol: too few examples to learn from
