"""Events: long tables."""

from typing import ClassVar, Literal

from pydantic import NonNegativeInt

from unroll.config.data import Missing, Scale, SplitSettings, SplitShare
from unroll.config.strict import Name


class Settings(SplitSettings):
    """A long table, whose rows are events: a series, a time, a channel, a value; and a table with a row a series.

    A series has a step for each time at which it has an event, or for each bin of times; a channel that was not
    measured then is a missing number. Targets, and inputs of whole series, are columns of the second table.
    """

    BASE: ClassVar[bool] = True
    SEVERAL: ClassVar[bool] = True

    kind: Literal["events"]
    path: str                       # below data/raw/: a file, a folder or a glob; several are read one after another
    outcomes: str | None            # the same of the table that has a row a series; null: targets are next steps
    delimiter: str                  # of CSV, as are the next six; here as below of both tables
    decimal: Literal[".", ","]
    encoding: str
    header: bool                    # false: columns are named column_1, column_2, …
    skip: NonNegativeInt            # lines before the first row
    comment: str | None             # what lines begin with that are no rows: "#"; null: there are none
    units: bool                     # whether the row below the header holds units
    thousands: str | None           # what is between the thousands of numbers, "," in 1,234.5; null: nothing
    sheet: str | None               # of a workbook; null: the first
    series: str                     # column of both tables: whose event, and whose row
    time: str                       # column, in any order
    time_format: str | None         # of strptime, with %q for quarters; epoch s, ms, us or ns; decimal year; null: ISO
                                    # 8601, or a number
    channel: str                    # column that says what was measured
    value: str | None               # column of numbers; null: an event is 1
    columns: dict[Name, list[str]]  # channels of inputs of steps, columns of the second table of others
    bin: float | str | None         # width of a step, as times are or as pandas names it: 30min, D; null: a step for
                                    # each time that occurs
    several: Literal["mean", "last"]        # which counts of a channel's values in one step
    until: float | str | None       # time at which each series ends, as with a last step: later events are not read
    group: str | None               # column of the second table; series that are equal in it share a split
    scale: Scale
    missing: Missing                # numbers of inputs that are not known
    na_values: list[float | int | str]      # cells that stand for a missing number, beside empty ones, NA and the like
    test: SplitShare
    licence: str
