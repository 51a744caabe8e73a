from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from unroll.config.tokenizer import TokenizerSettings


class Settings(TokenizerSettings):
    """Byte-level byte-pair encoding (Sennrich et al., 2016): lossless, shorter sequences."""

    kind: Literal["bpe"]
    vocab_size: Annotated[int, Field(ge=257, le=65536)]     # the 256 bytes and at least one merge
    min_frequency: PositiveInt                              # pairs seen less often are not merged
