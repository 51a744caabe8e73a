from typing import ClassVar, Literal

from pydantic import PositiveInt

from unroll.config.encoder import EncoderSettings, Field


class Settings(EncoderSettings):
    """A vector for each symbol."""

    kind: Literal["embedding"]
    size: PositiveInt

    reads: ClassVar[Field] = "tokens"
