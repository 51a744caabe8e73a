"""What is known so far of a configuration to be written, and how it is said."""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from unroll.base.errors import UserError, nearest


@dataclass(frozen=True)
class Choices:
    """What the user decided with options; None and nothing: look and choose."""

    task: str | None = None
    targets: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    time: str | None = None         # "none": no column is
    time_format: str | None = None  # of strptime
    series: str | None = None
    horizon: int | None = None
    season: int | None = None
    delimiter: str | None = None
    decimal: str | None = None
    encoding: str | None = None
    header: bool | None = None

    def only(self, what: str, *names: str) -> None:
        """Raises `UserError` on an option that says nothing of what was given."""
        for each in fields(self):
            if each.name not in names and getattr(self, each.name) not in (each.default, "none"):
                option = {"targets": "target", "inputs": "input"}.get(each.name, each.name.replace("_", "-"))
                raise UserError(f"--{option}: says nothing of {what}. Leave it out.")

    def of_a_table(self) -> bool:
        """Whether something is chosen that only a table has."""
        return self != Choices(self.task, encoding=self.encoding)


@dataclass(frozen=True)
class Place:
    """Where the data comes from, and what the configuration calls it."""

    name: str
    given: Path
    path: str       # of `given` below the project once it is copied: data/raw/NAME/file.csv
    folder: str     # what is made: data/raw/NAME
    copied: bool


@dataclass
class Draft:
    """Section `data` and what the experiment needs beside it."""

    about: str
    data: dict[str, Any]
    task: str                                   # file of conf/task
    files: list[Path]                           # what is copied
    tokenizer: str | None = None                # file of conf/data/tokenizer
    train: str = "small"
    overrides: dict[str, dict[str, Any]] = field(default_factory=dict)      # section → values
    notes: dict[str, str] = field(default_factory=dict)                     # setting → why it is so


class Say:
    """A line for each thing found or chosen, with the option that chooses otherwise."""

    def line(self, what: str, said: str, option: str | None = None) -> None:
        print(f"{what:<11}{said}" + (f"   [{option}]" if option else ""))


def one_of(candidates: Iterable[str], what: str, option: str) -> str | None:
    """The only candidate, or None without any; raises `UserError` when there are several."""
    names = list(candidates)
    if len(names) > 1:
        raise UserError(f"{what}: {', '.join(map(repr, names))} may be meant. Say which: {option} {names[0]!r}.")
    return names[0] if names else None


def known(name: str, names: Iterable[str], option: str) -> str:
    """The name, if it is a column's."""
    names = list(names)
    if name not in names:
        raise UserError(f"{option}: no column {name!r}; {nearest(name, names)}")
    return name


def spread(lengths: Iterable[int]) -> str:
    """Lengths of sequences in words."""
    sizes = np.fromiter(lengths, np.int64)
    least, middle, most = sizes.min(), np.median(sizes), sizes.max()
    return f"{least:,} steps each" if least == most else f"{least:,} to {most:,} steps, median {middle:,.0f}"
