"""Which of a table's columns orders its rows, and which tells sequences apart."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from unroll.base.errors import UserError
from unroll.commands.init.columns import Column
from unroll.commands.init.draft import Options, known, only_one, report, spread
from unroll.commands.init.spacing import spacing

CLOCK = r"date|time|datetime|timestamp|stamp|ds|step|year|month|day|hour|seconds?|ms"
TIME = re.compile(rf"({CLOCK})(_?\w*)?|t(_\w*)?|t\d*", re.I)
PLAIN_TIME = re.compile(rf"{CLOCK}|t", re.I)
SERIES = re.compile(r"(.*_)?(id|series|sequence|seq|group|subject|patient|participant|trial|case|session|recording|"
                    r"record|sample|item|store|station|sensor|device|unit|sentence|document|user|entity)(_?(id|no|nr|"
                    r"name|number))?", re.I)
LABEL = re.compile(r"label|class|target|category|tag|y|sentiment|outcome|activity|event|species|state|kind|type", re.I)
ROW_NUMBER = re.compile(r"|unnamed.*|index|row|row_?number|nr|no", re.I)
Where = Callable[[int, str], str]       # how a user finds the cell of a row and column
STRAY = 0.05        # of sequences: in fewer, a column that changes is likely to be mistaken there


@dataclass
class Roles:
    """The columns, which of them are time and series, and `codes` (N,), the number of each row's sequence."""

    columns: dict[str, Column]
    where: Where
    time: Column | None = None
    series: Column | None = None
    codes: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    apart: bool = False                 # whether there are several sequences

    def __post_init__(self) -> None:
        if not len(self.codes):
            self.codes = np.zeros(len(next(iter(self.columns.values())).values), np.int64)

    def free(self) -> list[Column]:
        """Columns that are neither time nor series."""
        return [column for column in self.columns.values() if column not in (self.time, self.series)]

    def firsts(self, column: Column) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The sequences in which the column has values, and the first row with one in each."""
        rows = np.flatnonzero(column.codes >= 0)
        sequences, first = np.unique(self.codes[rows], return_index=True)
        return sequences, rows[first]

    def deviating(self, column: Column) -> NDArray[np.int64]:
        """Rows whose value is not the first one of their sequence; a row without a value does not deviate."""
        sequences, first = self.firsts(column)
        began = np.full(int(self.codes.max()) + 1, -1)
        began[sequences] = column.codes[first]
        return np.flatnonzero((column.codes >= 0) & (column.codes != began[self.codes]))

    def constant(self, column: Column) -> bool:
        """Whether it has one value in all rows of a sequence."""
        return not len(self.deviating(column))

    def check_strays(self, column: Column, way: str) -> None:
        """Raises `UserError` on a column that changes in so few sequences that this may be a mistake.

        Another one is an event that is rare: its sequences have one and the same value otherwise.
        """
        rows = self.deviating(column)
        changing = np.unique(self.codes[rows])
        several = int((np.bincount(self.codes[column.codes >= 0]) > 1).sum())
        sequences, first = self.firsts(column)
        steady = np.unique(column.codes[first[~np.isin(sequences, changing)]])
        if several < 5 or not 0 < len(changing) <= max(1, STRAY * several) or len(steady) < 2:
            return
        row, before = rows[0], first[sequences == self.codes[rows[0]]][0]
        cell, began = (f"{value:g}" if column.kind == "number" else repr(value)
                       for value in column.values[[row, before]])
        name = f" {self.series.labels[row]!r}" if self.series else ""
        raise UserError("ambiguous", self.where(int(row), column.name), f"{cell} where sequence{name} began with "
                        f"{began}; in {several - len(changing):,} of {several:,} sequences the column does not change. "
                        f"Correct the row, or say what the column is: {way}.")

    def lengths(self) -> NDArray[np.int64]:
        return np.bincount(self.codes)


def find_roles(columns: list[Column], options: Options, where: Where) -> Roles:
    """Time and series, by the options or by what the columns hold; raises `UserError` when several are possible."""
    roles = Roles({column.name: column for column in columns}, where)
    for column in columns:
        if _numbers_rows(column) and column.name not in (
                options.time, options.series, *options.inputs, *options.targets, *dict(options.kinds)):
            report("left out", f"{column.name!r}, which numbers the rows", f"--input {column.name!r}")
            del roles.columns[column.name]
    roles.time = _time(roles, options)
    roles.series = _series(roles, options)
    if roles.series is not None:
        roles.codes, roles.apart = pd.factorize(roles.series.labels)[0], True
        report("series", f"{roles.series.name!r}: {roles.codes.max() + 1:,} sequences of {spread(roles.lengths())}",
               "--series COLUMN or none")
    if roles.time is not None:
        report("time", f"{roles.time.name!r}, {spacing(roles.time, roles.codes).words}", "--time COLUMN or none")
    return roles


def _numbers_rows(column: Column) -> bool:
    return (column.kind == "number" and ROW_NUMBER.fullmatch(column.name.strip()) is not None
            and bool((np.diff(column.values) == 1).all()))


def _time(roles: Roles, options: Options) -> Column | None:
    if options.time == "none":
        return None
    if options.time is not None:
        return _ordering(roles.columns[known(options.time, roles.columns, "--time")])
    taken = (*options.targets, *options.inputs, *dict(options.kinds), options.series)
    within = likely_sequences(roles, options)
    # a date that stands in all rows of a sequence is a fact about it
    times = [column.name for column in roles.columns.values() if column.kind == "time"
             and column.name not in dict(options.kinds) and (within is None or not within.constant(column))]
    if not times:       # a number may be one, by its name
        times = [name for name, column in roles.columns.items()
                 if column.kind == "number" and not column.missing and name not in taken
                 and TIME.fullmatch(name.strip()) and (_mostly_rises(column) or _unsorted(column, within))]
    name = only_one(times, "--time")
    return roles.columns[name] if name is not None else None


def _mostly_rises(column: Column) -> bool:
    return len(column.values) > 1 and bool((np.diff(column.values) > 0).mean() > 0.5)


def _unsorted(column: Column, within: Roles | None) -> bool:
    """Whether it has the name of a time, and no value twice in a sequence, though its rows are out of order."""
    return within is not None and PLAIN_TIME.fullmatch(column.name.strip()) is not None and len(
        pd.MultiIndex.from_arrays([within.codes, column.values]).unique()) == len(column.values)


def _ordering(column: Column) -> Column:
    if column.kind == "text":
        if column.stray is not None:
            raise UserError("bad-time", column.stray.where, f"{column.stray.text}. Correct it, or choose --time none.")
        raise UserError("bad-time", "--time", f"column {column.name!r} holds {str(column.present[0])!r}, which is no "
                        "time in a known format. Give its format: --time-format '%d.%m.%Y', or choose --time none.")
    return column


def _series(roles: Roles, options: Options) -> Column | None:
    if options.series is not None:
        return None if options.series == "none" else roles.columns[known(options.series, roles.columns, "--series")]
    taken = (*options.targets, *options.inputs, *dict(options.kinds))
    free = [column for column in roles.free() if column.name not in taken]
    fitting = [column for column in free if _tells_apart(column, roles.time)]
    named = [column.name for column in fitting if SERIES.fullmatch(column.name.strip())]
    unnamed = [column.name for column in fitting if not LABEL.fullmatch(column.name.strip())]
    needed = roles.time is not None and not (np.diff(roles.time.values) > 0).all()
    alike = [column.name for column in free if _is_named(column) and not column.missing]
    if not named and alike and roles.time is None:
        raise UserError("ambiguous", "--series", f"{alike[0]!r} looks like the names of sequences, but the rows of one "
                        "do not stand together. Sort them, name the column that orders them, --time COLUMN, or choose "
                        "--series none.")
    # of rows out of order, the check of the data names the first
    possible = [roles.columns[name] for name in named or (alike or unnamed if needed else [])]
    # several may name the same sequences
    different = {pd.factorize(column.labels)[0].tobytes(): column.name for column in reversed(possible)}
    name = only_one(reversed(different.values()), "--series")
    return roles.columns[name] if name is not None else None


def _is_named(column: Column) -> bool:
    """Whether its name and values are those of sequences of several rows."""
    return SERIES.fullmatch(column.name.strip()) is not None and 1 < column.distinct <= len(column.values) / 2 and (
        column.kind == "text" or column.whole)


def likely_sequences(roles: Roles, options: Options) -> Roles | None:
    """Sequences as the option has them or, of columns of such names, the finest, before the time is known."""
    if options.series == "none":
        return None
    named = [column for column in roles.columns.values() if _is_named(column) and not column.missing
             and column.name not in (*options.targets, *options.inputs, *dict(options.kinds))]
    if options.series is not None:
        named = [roles.columns[known(options.series, roles.columns, "--series")]]
    if not named:
        return None
    finest = max(named, key=lambda column: column.distinct)
    return Roles(roles.columns, roles.where, codes=pd.factorize(finest.labels)[0])


def _tells_apart(column: Column, time: Column | None) -> bool:
    """Whether its values may be names of sequences, each of several rows: together, or with a time that rises."""
    if column.missing or not 1 < column.distinct <= len(column.values) / 2 or column.kind == "time" or (
            column.kind == "number" and not column.whole):
        return False
    codes = pd.factorize(column.labels)[0]
    if time is None:
        return bool((np.diff(codes) != 0).sum() == column.distinct - 1)
    order = np.argsort(codes, kind="stable")
    same = np.diff(codes[order]) == 0
    return bool((np.diff(time.values[order]) > 0)[same].all())
