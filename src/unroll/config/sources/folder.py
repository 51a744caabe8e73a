"""A folder for each class."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, NonNegativeInt

from unroll.config.data import Missing, Scale, SplitSettings, SplitShare
from unroll.config.tokenizer import Tokenizer


class Settings(SplitSettings):
    """A folder of folders, each named after the class of the files in it: texts, or recordings as tables."""

    BASE: ClassVar[bool] = True

    kind: Literal["folder"]
    path: str
    encoding: str
    delimiter: str
    decimal: Literal[".", ","]
    header: bool
    skip: NonNegativeInt            # lines of a recording before its first row
    comment: str | None             # what lines begin with that are no rows; null: there are none
    units: bool                     # whether the row below the header holds units
    thousands: str | None           # what is between the thousands of numbers; null: nothing
    columns: Annotated[list[str], Field(min_length=1)] | None       # of a recording that are read; null: all
    tokenizer: Tokenizer | None
    scale: Scale
    missing: Missing                # numbers of inputs that are not known
    na_values: list[float | int | str]      # cells that stand for a missing number, beside empty ones, NA and the like
    test: SplitShare
    licence: str
