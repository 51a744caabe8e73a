from typing import ClassVar, Literal

from pydantic import PositiveInt

from unroll.config.encoder import ContextSettings, Field


class Settings(ContextSettings):
    """Another text: a vector for each symbol, a core that reads them, a pooling."""

    kind: Literal["context_text"]
    size: PositiveInt               # of each symbol's vector

    reads: ClassVar[Field] = "context_tokens"
