"""Which of a table's columns orders its rows, which tells sequences apart, which is predicted and which are read."""

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from unroll.base.errors import UserError
from unroll.commands.init.columns import Column
from unroll.commands.init.draft import Options, known, only_one, report, spread
from unroll.commands.init.spacing import spacing

TIME = re.compile(r"(date|time|datetime|timestamp|stamp|ds|t|step|year|month|day|hour|seconds?|ms)(_?\w*)?", re.I)
SERIES = re.compile(r"(.*_)?(id|series|sequence|seq|group|subject|patient|participant|trial|case|session|recording|"
                    r"record|sample|item|store|station|sensor|device|unit|sentence|document|user|entity)(_?(id|no|nr|"
                    r"name|number))?", re.I)
LABEL = re.compile(r"label|class|target|category|tag|y|sentiment|outcome|activity|event|species|state|kind|type", re.I)
ROW_NUMBER = re.compile(r"|unnamed.*|index|row|row_?number|nr|no", re.I)
FEW = 50            # more different values are hardly classes


@dataclass
class Roles:
    """The columns, which of them are time and series, and `codes` (N,), the number of each row's sequence."""

    columns: dict[str, Column]
    time: Column | None = None
    series: Column | None = None

    def __post_init__(self) -> None:
        self.codes: NDArray[np.int64] = np.zeros(len(next(iter(self.columns.values())).values), np.int64)

    def free(self) -> list[Column]:
        """Columns that are neither time nor series."""
        return [column for column in self.columns.values() if column not in (self.time, self.series)]

    def constant(self, column: Column) -> bool:
        """Whether it has one value in all rows of a sequence."""
        numbers = pd.factorize(column.values if column.kind == "number" else column.labels)[0]
        order = np.argsort(self.codes, kind="stable")
        same = self.codes[order][1:] == self.codes[order][:-1]
        return bool((numbers[order][1:] == numbers[order][:-1])[same].all())

    def lengths(self) -> NDArray[np.int64]:
        return np.bincount(self.codes)


def find_roles(columns: list[Column], options: Options) -> Roles:
    """Time and series, by the options or by what the columns hold; raises `UserError` when several are possible."""
    roles = Roles({column.name: column for column in columns})
    for column in columns:
        if _numbers_rows(column) and column.name not in (options.time, options.series, *options.inputs):
            report("left out", f"{column.name!r}, which numbers the rows", f"--input {column.name!r}")
            del roles.columns[column.name]
    roles.time = _time(roles, options)
    roles.series = _series(roles, options)
    if roles.series is not None:
        roles.codes = pd.factorize(roles.series.labels)[0]
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
    times = [name for name, column in roles.columns.items() if column.kind == "time"]
    if not times:       # a number may be one, by its name
        taken = (*options.targets, *options.inputs, options.series)
        times = [name for name, column in roles.columns.items()
                 if column.kind == "number" and not column.missing and name not in taken
                 and TIME.fullmatch(name.strip()) and _mostly_rises(column)]
    name = only_one(times, "--time")
    return roles.columns[name] if name is not None else None


def _mostly_rises(column: Column) -> bool:
    return len(column.values) > 1 and bool((np.diff(column.values) > 0).mean() > 0.5)


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
    taken = (*options.targets, *options.inputs)
    fitting = [column for column in roles.free() if column.name not in taken and _tells_apart(column, roles.time)]
    named = [column.name for column in fitting if SERIES.fullmatch(column.name.strip())]
    unnamed = [column.name for column in fitting if not LABEL.fullmatch(column.name.strip())]
    needed = roles.time is not None and not (np.diff(roles.time.values) > 0).all()
    name = only_one(named or (unnamed if needed else []), "--series")
    return roles.columns[name] if name is not None else None


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


def pick_inputs(roles: Roles, options: Options, kind: str, without: list[str]) -> list[str]:
    """The columns that are read: those of the options, or all of the kind that have values."""
    if options.inputs:
        return [known(name, roles.columns, "--input") for name in options.inputs]
    return [column.name for column in roles.free()
            if column.kind == kind and column.name not in without and column.missing < 1]


def report_left_out(roles: Roles, used: list[str], option: str) -> None:
    others = [repr(column.name) for column in roles.free() if column.name not in used]
    if others:
        report("left out", ", ".join(others), option)


def find_target(roles: Roles, options: Options) -> Column | None:
    """The one column of the options, or the only one that may hold classes."""
    if len(options.targets) > 1:
        raise UserError("unsupported", "--target", f"{', '.join(map(repr, options.targets))}: only a forecast has "
                        "several. Give one.")
    if options.targets:
        return roles.columns[known(options.targets[0], roles.columns, "--target")]
    name = only_one([column.name for column in _classes(roles, options)], "--target")
    return roles.columns[name] if name is not None else None


def _classes(roles: Roles, options: Options) -> list[Column]:
    """Columns that may hold classes: those with a name for it if there are any, else those of few texts."""
    few = [column for column in roles.free() if column.name not in options.inputs and column.distinct > 1
           and (column.whole or column.kind == "text") and column.distinct <= min(FEW, len(column.values) / 2)]
    named = [column for column in few if LABEL.fullmatch(column.name.strip())]
    return named or [column for column in few if column.kind == "text"]
