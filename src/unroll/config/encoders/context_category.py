from typing import ClassVar, Literal

from pydantic import PositiveInt

from unroll.config.encoder import ContextSettings, Field


class Settings(ContextSettings):
    """Another sequence of categories: a vector for each of a step's, a core that reads them, a pooling."""

    kind: Literal["context_category"]
    size: PositiveInt               # of each column's vector

    reads: ClassVar[Field] = "context_categories"
