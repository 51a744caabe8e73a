"""Tables: CSV, Parquet, workbooks and others."""

from typing import ClassVar, Literal

from pydantic import NonNegativeInt, PositiveInt

from unroll.config.data import ForecastConfig, Missing, Scale, SplitSettings, SplitShare
from unroll.config.strict import Name
from unroll.config.tokenizer import Tokenizers


class Settings(SplitSettings):
    """A table: a row is a step, or, for text, a sequence."""

    BASE: ClassVar[bool] = True
    SEVERAL: ClassVar[bool] = True

    kind: Literal["table"]
    path: str                       # below data/raw/: a file, a folder or a glob; several are read one after another
    delimiter: str                  # of CSV, as are the next seven
    decimal: Literal[".", ","]
    encoding: str
    header: bool                    # false: columns are named column_1, column_2, …
    skip: NonNegativeInt            # lines before the first row, of workbooks, too, as are header and units
    comment: str | None             # what lines begin with that are no rows: "#"; null: there are none
    units: bool                     # whether the row below the header holds units
    thousands: str | None           # what is between the thousands of numbers, "," in 1,234.5; null: nothing
    sheet: str | None               # of a workbook; null: the first
    wide: list[str] | None          # where the table has a series in each row or column, the columns that are no steps;
                                    # each other cell is a row of these and of `name`, its column, and `value`; null: no
    columns: dict[Name, list[str]]  # the columns of each input and target; a forecast's or next's stand at its input
    series: str | None              # column that says which sequence a row belongs to; null: the table is one
    time: str | None                # column that orders a sequence's rows, and must rise
    time_format: str | None         # of strptime, with %q for quarters; epoch s, ms, us or ns; decimal year; null: ISO
                                    # 8601, or a number
    time_zone: str | None           # of times without an offset, whose clocks are set back and forward: Europe/Berlin
    frequency: str | None           # step of the times, as pandas names it: h, 15min, D, B, MS; null: the usual one
    gaps: Literal["ignore", "refuse", "split", "fill"]  # what steps that are missing become: nothing, an error, the
                                    # end of one series to forecast and the start of another, rows without values
    tokenizer: Tokenizers | None    # of inputs of kind tokens and context_tokens: one for all, or one for each by name
    scale: Scale
    missing: Missing                # numbers of inputs that are not known
    na_values: list[float | int | str]      # cells that stand for a missing number, beside empty ones, NA and the like
    test: SplitShare
    forecast: ForecastConfig | None
    min_length: PositiveInt | None  # steps; a shorter series is not forecast; null: the fewest that a forecast needs
    licence: str
