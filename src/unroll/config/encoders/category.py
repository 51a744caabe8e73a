from typing import ClassVar, Literal

from pydantic import PositiveInt

from unroll.config.encoder import EncoderSettings, Field


class Settings(EncoderSettings):
    """A vector for each category of each column, side by side; one for all that training never saw."""

    kind: Literal["category"]
    size: PositiveInt               # of each column's vector

    reads: ClassVar[Field] = "categories"
