"""How a source's files are read, a part of the spec."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Names = tuple[str, ...]


class Part(BaseModel):
    """Unknown and missing keys are errors; values are neither changed nor converted."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class EventsReading(Part):
    """Rows of a table as events: the value of a channel of a series at a time."""

    channel: str                    # column
    value: str | None               # column; None: an event has no value but that it is there, 1
    bin: float | str | None         # width of a step; None: a step for each time that occurs
    several: Literal["mean", "last"]        # which counts of the values of one channel in one step
    until: float | str | None       # when a series ends: later events are not read; None: with its last event
    others: Names                   # channels that training had and left out


class TableReading(Part):
    """Rows of a table as steps of sequences."""

    series: str | None          # column that names the sequence of a row; None: one sequence, or one text per row
    time: str | None            # column that orders a sequence's rows
    time_format: str | None     # of strptime; None: ISO 8601, or a number
    joint: str                  # between the texts of two rows of a sequence
    # the step of the times, as pandas names it, and what missing ones become; None: there is none
    time_zone: str | None = Field(default=None, exclude_if=lambda zone: zone is None)   # of times without an offset
    frequency: str | None = Field(default=None, exclude_if=lambda frequency: frequency is None)
    gaps: str | None = Field(default=None, exclude_if=lambda gaps: gaps is None)
    events: EventsReading | None = Field(default=None, exclude_if=lambda events: events is None)


class WideReading(Part):
    """A table with a series in each row or column, see `unroll.readers.common.wide`."""

    keep: Names                             # columns that are no steps: of a series in each row, its name
    series: Literal["rows", "columns"]      # what holds one


class Reading(Part):
    """How the source's files are read, so that files of the same kind can be read again."""

    encoding: str = "utf-8"
    delimiter: str | None = None            # None: a comma, or a tab in .tsv
    decimal: Literal[".", ","] = "."
    header: bool = True
    # of CSV: lines before the header, what comments begin with, whether the row below the header holds units, and what
    # is between the thousands of numbers
    skip: int = Field(default=0, exclude_if=lambda skip: not skip)
    comment: str | None = Field(default=None, exclude_if=lambda comment: comment is None)
    units: bool = Field(default=False, exclude_if=lambda units: not units)
    thousands: str | None = Field(default=None, exclude_if=lambda thousands: thousands is None)
    sheet: str | None = Field(default=None, exclude_if=lambda sheet: sheet is None)    # of a workbook; None: the first
    wide: WideReading | None = Field(default=None, exclude_if=lambda wide: wide is None)    # None: a row is a step
    whole: bool = False                     # whether a text file is one sequence, where it could be one a line
    table: TableReading | None = None       # None: columns by position, one file per sequence
    # by field, the name of its array in an archive, without _train; only where it was one
    arrays: dict[str, str] | None = Field(default=None, exclude_if=lambda arrays: arrays is None)
    # cells of columns of numbers that stand for a missing one, beside those that are empty
    na_values: tuple[float | str, ...] = Field(default=(), exclude_if=lambda values: not values)

    @property
    def time_format(self) -> str | None:
        return None if self.table is None else self.table.time_format

    @property
    def time(self) -> str | None:
        """The column of times."""
        return None if self.table is None else self.table.time

    @property
    def frequency(self) -> str | None:
        return None if self.table is None else self.table.frequency
