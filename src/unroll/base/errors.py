"""Mistakes that a user can correct are raised as `UserError` and printed as one line; anything else is a defect."""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

# What is wrong, in a word that stays the same when sentences improve; docs/errors.md explains each to users.
Code = Literal[
    # files and folders
    "missing-file", "not-a-file", "exists", "damaged", "unreadable", "wrong-version", "stale", "in-use",
    # values and options
    "unknown-name", "missing-value", "wrong-type", "out-of-range", "conflict", "no-effect", "unsupported",
    # data
    "empty", "too-short", "too-large", "bad-number", "missing-number", "bad-time", "bad-label", "unequal-lengths",
    "unknown-class", "unknown-symbol", "out-of-order", "ambiguous",
    # a training
    "diverged",
    # the machine and what is installed on it
    "not-installed", "extension", "no-device", "no-memory", "disk", "network", "server", "not-found", "process",
]


class UserError(Exception):
    """One line that says what is wrong, where, and what to do; the command line prints it and exits with code 2.

    `where` is the file, option or setting at fault, as a user knows it; `text` is the rest of the line.
    """

    def __init__(self, code: Code, where: str | Path, text: str) -> None:
        self.code, self.where, self.text = code, str(where), text
        super().__init__(f"{where}: {text}" if self.where else text)

    def within(self, where: str | Path) -> "UserError":
        """The same error seen from further out: `where` before the place that it names."""
        return UserError(self.code, f"{where}: {self.where}" if self.where else where, self.text)


def lacks_memory(error: BaseException) -> bool:
    """Whether NumPy, PyTorch or CUDA could not allocate memory; each reports that in a way of its own."""
    return isinstance(error, MemoryError) or any(sign in str(error).lower() for sign in (
        "allocate memory", "enough memory", "out of memory", "bad_alloc", "bad allocation", "alloc_failed"))


@contextmanager
def within_memory(where: str, text: Callable[[], str]) -> Iterator[None]:
    """Turn a failed allocation into a `UserError`; `text` is called only then."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not lacks_memory(error):
            raise
        raise UserError("no-memory", where, text()) from None


def nearest(name: str, valid: Iterable[str]) -> str:
    """The end of a sentence that names the closest valid name, or all of them when none is close."""
    valid = [str(known) for known in valid]
    close = get_close_matches(str(name), valid, n=1, cutoff=0.6)
    return f'did you mean "{close[0]}"?' if close else f"choose from {', '.join(map(_listed, valid))}."


def _listed(name: str) -> str:
    """A name in a list; one of marks alone, or with a comma or a space in it, is quoted."""
    return name if re.search(r"\w", name) and not re.search(r"[,\s]", name) else f'"{name}"'
