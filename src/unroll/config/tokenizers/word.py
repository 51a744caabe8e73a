from typing import Literal

from pydantic import PositiveInt

from unroll.config.tokenizer import TokenizerSettings


class Settings(TokenizerSettings):
    """Words, numbers, punctuation marks and line ends of the training split; needs a script with spaces."""

    kind: Literal["word"]
    min_count: PositiveInt      # rarer words become the unknown symbol
    lowercase: bool
