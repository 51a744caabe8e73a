from typing import Literal

from unroll.config.tokenizer import TokenizerSettings


class Settings(TokenizerSettings):
    """The 256 bytes of UTF-8: lossless on any text, nothing to fit."""

    kind: Literal["byte"]
