from typing import ClassVar, Literal

from pydantic import PositiveInt

from unroll.config.encoder import ContextSettings, Field


class Settings(ContextSettings):
    """Another series: its vectors or a linear layer of them, a core that reads them, a pooling."""

    kind: Literal["context_series"]
    size: PositiveInt | None        # of the linear layer; none: the vectors themselves

    reads: ClassVar[Field] = "context_real"
