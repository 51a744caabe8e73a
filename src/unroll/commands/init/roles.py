"""Which of a table's columns orders its rows, which tells sequences apart, which is predicted and which are read."""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from unroll.base.errors import UserError
from unroll.commands.init.column_kinds import Column
from unroll.commands.init.draft import Choices, Say, known, one_of, spread

TIME = re.compile(r"(date|time|datetime|timestamp|stamp|ds|t|step|year|month|day|hour|seconds?|ms)(_?\w*)?", re.I)
SERIES = re.compile(r"(.*_)?(id|series|sequence|seq|group|subject|patient|participant|trial|case|session|recording|"
                    r"record|sample|item|store|station|sensor|device|unit|sentence|document|user|entity)(_?(id|no|nr|"
                    r"name|number))?", re.I)
LABEL = re.compile(r"label|class|target|category|tag|y|sentiment|outcome|activity|event|species|state|kind|type", re.I)
ROW_NUMBER = re.compile(r"|unnamed.*|index|row|row_?number|nr|no", re.I)
FEW = 50            # more different values are hardly classes


@dataclass
class Roles:
    """What is known of the columns. `codes` (N,) says which sequence a row is of; rows come in the file's order."""

    columns: dict[str, Column]
    time: Column | None = None
    series: Column | None = None

    def __post_init__(self) -> None:
        self.codes: NDArray[np.int64] = np.zeros(len(next(iter(self.columns.values())).values), np.int64)

    def free(self) -> list[Column]:
        """Columns that are neither time nor series."""
        return [each for each in self.columns.values() if each not in (self.time, self.series)]

    def constant(self, column: Column) -> bool:
        """Whether it says the same in all rows of a sequence."""
        numbers = pd.factorize(column.values if column.kind == "number" else column.labels)[0]
        order = np.argsort(self.codes, kind="stable")
        same = self.codes[order][1:] == self.codes[order][:-1]
        return bool((numbers[order][1:] == numbers[order][:-1])[same].all())

    def lengths(self) -> NDArray[np.int64]:
        return np.bincount(self.codes)


def find_roles(columns: list[Column], choices: Choices, say: Say) -> Roles:
    """Time and series, by the options or by what the columns hold; raises `UserError` when several may be meant."""
    roles = Roles({each.name: each for each in columns})
    for column in columns:
        if _row_numbers(column) and column.name not in (choices.time, choices.series, *choices.inputs):
            say.line("left out", f"{column.name!r}, which counts the rows", f"--input {column.name!r}")
            del roles.columns[column.name]
    roles.time = _time(roles, choices)
    roles.series = _series(roles, choices)
    if roles.series is not None:
        roles.codes = pd.factorize(roles.series.labels)[0]
        say.line("series", f"{roles.series.name!r}: {roles.codes.max() + 1:,} sequences of {spread(roles.lengths())}",
                 "--series COLUMN or none")
    if roles.time is not None:
        say.line("time", f"{roles.time.name!r}, {spacing(roles)[0]}", "--time COLUMN or none")
    return roles


def _row_numbers(column: Column) -> bool:
    return (column.kind == "number" and ROW_NUMBER.fullmatch(column.name.strip()) is not None
            and bool((np.diff(column.values) == 1).all()))


def _time(roles: Roles, choices: Choices) -> Column | None:
    if choices.time is not None:
        return None if choices.time == "none" else _orders(roles.columns[known(choices.time, roles.columns, "--time")])
    times = [name for name, each in roles.columns.items() if each.kind == "time"]
    if not times:       # a number may be one, by its name
        taken = (*choices.targets, *choices.inputs, choices.series)
        times = [name for name, each in roles.columns.items()
                 if each.kind == "number" and not each.missing and name not in taken and TIME.fullmatch(name.strip())
                 and len(each.values) > 1 and (np.diff(each.values) > 0).mean() > 0.5]
    name = one_of(times, "time", "--time")
    return roles.columns[name] if name is not None else None


def _orders(column: Column) -> Column:
    if column.kind == "text":
        if column.spoilt is not None:
            raise UserError(f"{': '.join(column.spoilt)}. Mend it, or choose --time none.")
        raise UserError(f"--time: column {column.name!r} holds {str(column.present[0])!r}, no time that is known here. "
                        "Say how it is written: --time-format '%d.%m.%Y', or --time none.")
    return column


def _series(roles: Roles, choices: Choices) -> Column | None:
    if choices.series is not None:
        return None if choices.series == "none" else roles.columns[known(choices.series, roles.columns, "--series")]
    taken = (*choices.targets, *choices.inputs)
    fitting = [each for each in roles.free() if each.name not in taken and _tells_apart(each, roles.time)]
    named = [each.name for each in fitting if SERIES.fullmatch(each.name.strip())]
    unnamed = [each.name for each in fitting if not LABEL.fullmatch(each.name.strip())]
    needed = roles.time is not None and not (np.diff(roles.time.values) > 0).all()
    name = one_of(named or (unnamed if needed else []), "series", "--series")
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


# what pandas calls the distance of two rows → in words, steps of the cycle that it is likely to have
CYCLES: dict[str, tuple[str, int]] = {
    "YS": ("yearly", 1), "YE": ("yearly", 1), "QS": ("quarterly", 4), "QE": ("quarterly", 4), "MS": ("monthly", 12),
    "ME": ("monthly", 12), "W": ("weekly", 52), "D": ("daily", 7), "B": ("business days", 5), "h": ("hourly", 24),
    "30min": ("every 30 minutes", 48), "15min": ("every 15 minutes", 96), "10min": ("every 10 minutes", 144),
    "min": ("every minute", 60), "s": ("every second", 60),
}


def spacing(roles: Roles) -> tuple[str, int]:
    """The distance of two rows of a sequence in words, and the cycle that it is likely to have; 1: none."""
    assert roles.time is not None
    stamps = roles.time.values[roles.codes == 0]
    distances = np.diff(stamps)
    if not len(distances):
        return "one row", 1
    if roles.time.kind == "number":
        least, most = distances.min(), distances.max()
        even = most - least <= 1e-6 * abs(most)
        return (f"steps of {distances[0]:g}" if even else f"uneven steps of {least:g} to {most:g}"), 1
    found: Any = pd.infer_freq(pd.DatetimeIndex(stamps)) if len(stamps) > 2 and (distances > 0).all() else None
    if found is not None:
        return CYCLES.get(found, CYCLES.get(found.split("-")[0], (f"every {found}", 1)))
    least, most = (pd.Timedelta(int(each)) for each in (distances.min(), distances.max()))
    return f"uneven steps of {least} to {most}: the network sees their order, not their distance", 1


def pick_inputs(roles: Roles, choices: Choices, kind: str, without: list[str]) -> list[str]:
    """The columns that are read: those of the options, or all of the kind that have values."""
    if choices.inputs:
        return [known(name, roles.columns, "--input") for name in choices.inputs]
    return [each.name for each in roles.free() if each.kind == kind and each.name not in without and each.missing < 1]


def say_left_out(roles: Roles, used: list[str], say: Say, option: str) -> None:
    others = [repr(each.name) for each in roles.free() if each.name not in used]
    if others:
        say.line("left out", ", ".join(others), option)


def labels(roles: Roles, choices: Choices) -> list[Column]:
    """Columns that may hold classes, those with a name for it alone if there are any."""
    few = [each for each in roles.free() if each.name not in choices.inputs and each.distinct > 1
           and (each.whole or each.kind == "text") and each.distinct <= min(FEW, len(each.values) / 2)]
    named = [each for each in few if LABEL.fullmatch(each.name.strip())]
    return named or [each for each in few if each.kind == "text"]


def target(roles: Roles, choices: Choices) -> Column | None:
    """The one column of the options, or the only one that may hold classes."""
    if len(choices.targets) > 1:
        raise UserError(f"--target: {', '.join(map(repr, choices.targets))}: only a forecast has several. Give one.")
    if choices.targets:
        return roles.columns[known(choices.targets[0], roles.columns, "--target")]
    name = one_of([each.name for each in labels(roles, choices)], "target", "--target")
    return roles.columns[name] if name is not None else None
