from typing import ClassVar, Literal

from pydantic import PositiveInt

from unroll.config.encoder import Field, StaticSettings


class Settings(StaticSettings):
    """Categories of a whole sequence, as those of a step are encoded."""

    kind: Literal["static_category"]
    size: PositiveInt               # of each column's vector

    reads: ClassVar[Field] = "static_categories"
