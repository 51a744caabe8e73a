"""What is known so far of a configuration to be written, the options of the command, and lines of its report."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from unroll.base.errors import UserError, nearest
from unroll.readers.common.marks import marks


@dataclass(frozen=True)
class Options:
    """The user's decisions; None or empty where `init` decides."""

    task: str | None = None
    targets: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    future: tuple[str, ...] = ()                # read beside a forecast, and known ahead
    kinds: tuple[tuple[str, str], ...] = ()     # column → kind of input or target, or "none"
    time: str | None = None         # "none": no column is
    time_format: str | None = None
    time_zone: str | None = None
    gaps: str | None = None
    missing: str | None = None
    na_values: tuple[str, ...] = ()     # "none": no number stands for a missing one
    series: str | None = None
    horizon: int | None = None
    season: int | None = None
    delimiter: str | None = None
    decimal: str | None = None
    encoding: str | None = None
    header: bool | None = None
    skip: int | None = None
    comment: str | None = None      # "none": no lines are comments
    units: bool | None = None
    thousands: str | None = None    # "none": nothing is between them
    sheet: str | None = None
    wide: str | None = None         # what holds a series: rows or columns; "none": a row is a step
    outcomes: Path | None = None    # beside a table of events
    until: str | None = None        # of events; "none": all are read
    channel: str | None = None

    @property
    def marks(self) -> tuple[float | str, ...]:
        """Cells that stand for a missing number."""
        return marks(_typed(value) for value in self.na_values if value != "none")

    def kind_of(self, column: str) -> str | None:
        return dict(self.kinds).get(column)

    def only(self, what: str, *names: str) -> None:
        """Raises `UserError` on an option without effect on `what`."""
        for option in fields(self):
            if option.name not in names and getattr(self, option.name) not in (option.default, "none"):
                repeated = {"targets": "target", "inputs": "input", "kinds": "kind", "na_values": "na-value"}
                spelled = repeated.get(option.name, option.name.replace("_", "-"))
                raise UserError("no-effect", f"--{spelled}", f"has no effect on {what}. Leave it out.")

    def of_a_table(self) -> bool:
        """Whether an option is given that only tables have."""
        return self != Options(self.task, encoding=self.encoding)


def _typed(value: str) -> float | str:
    try:
        return float(value)
    except ValueError:
        return value


@dataclass(frozen=True)
class Place:
    """Where the data comes from, and its path in the configuration."""

    name: str
    origin: Path
    path: str       # of `origin` below the project once it is copied: data/raw/NAME/file.csv
    folder: str     # that is made: data/raw/NAME
    copied: bool


@dataclass
class Draft:
    """Section `data` and what the experiment needs beside it."""

    about: str
    data: dict[str, Any]
    task: str                                   # file of conf/task
    files: list[Path]                           # that are copied
    tokenizer: str | None = None                # file of conf/data/tokenizer
    train: str = "small"
    overrides: dict[str, dict[str, Any]] = field(default_factory=dict)      # section → values
    notes: dict[str, str] = field(default_factory=dict)                     # setting → why it is so


SAID: ContextVar[set[str] | None] = ContextVar("said", default=None)


@contextmanager
def said_once() -> Iterator[None]:
    """Within, `report` leaves out lines that were printed before."""
    token = SAID.set(set())
    try:
        yield
    finally:
        SAID.reset(token)


def report(what: str, text: str, option: str | None = None) -> None:
    """Print a line for something that was found or decided, with the option that decides otherwise."""
    line, said = f"{what:<11}{text}" + (f"   [{option}]" if option else ""), SAID.get()
    if said is None or line not in said:
        print(line)
    if said is not None:
        said.add(line)


def known(name: str, names: Iterable[str], option: str, what: str = "column") -> str:
    """The name, if it is that of a column, or of `what` else they are; else raises `UserError`."""
    names = list(names)
    if name not in names:
        raise UserError("unknown-name", option, f"no {what} {name!r}; {nearest(name, names)}")
    return name


def spread(lengths: Iterable[int]) -> str:
    """Lengths of sequences in words."""
    sizes = np.fromiter(lengths, np.int64)
    least, middle, most = sizes.min(), np.median(sizes), sizes.max()
    return f"{least:,} steps each" if least == most else f"{least:,} to {most:,} steps, median {middle:,.0f}"
