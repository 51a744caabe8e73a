"""The UCR and UEA archives' own format, read by aeon."""

import contextlib
import io
import re
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

import numpy as np

from unroll.base.errors import UserError
from unroll.readers.common.packed import open_bytes

HOLDS = "labelled"
ENDINGS = (".ts",)
STREAMED = True
BLOCK = 1 << 22     # characters of cases that aeon reads at a time


def aeon_datasets() -> Any:
    """aeon's module of files and data sets; where it is missing, raises `UserError` that names the extra."""
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            from aeon import datasets
    except ImportError:
        raise UserError("not-installed", "aeon", "not installed, and it reads .ts files and the archives' data sets. "
                        "Install the extra: pip install 'unroll[aeon]', or `make install`, which has it.") from None
    return datasets


def blocks(file: Path) -> Iterator[tuple[Any, Any]]:
    """Consecutive cases (F, T), an array or a list of them, and their classes or values; at least one block.

    aeon reads whole files, so that it is given the header and some of the cases as a file of their own, again and
    again. Raises `UserError` when it cannot read them, or they differ from the first ones.
    """
    load, done = aeon_datasets().load_from_ts_file, 0
    try:
        with io.TextIOWrapper(open_bytes(file), "utf-8") as lines, TemporaryDirectory() as folder:
            header, part = _header(lines), Path(folder) / "cases.ts"
            for cases in chain([lines.readlines(BLOCK)], iter(lambda: lines.readlines(BLOCK), [])):
                part.write_text("".join([*header, *cases]), encoding="utf-8")
                x, y = load(str(part))
                if not done:
                    first, whole = x, isinstance(x, np.ndarray)
                if len(x) and np.shape(x[0])[: 1 + whole] != np.shape(first[0])[: 1 + whole]:
                    raise ValueError(f"case 1 has shape {np.shape(x[0])} where the first one has {np.shape(first[0])}")
                yield x, y
                done += len(x)
    except (OSError, ValueError, IndexError, KeyError, TypeError, UnicodeDecodeError) as error:
        if isinstance(error, OSError) and error.errno:      # such as a full disk; aeon's own have no number
            raise
        text = re.sub(r"(?<=case )\d+", lambda found: str(done + int(found[0])), str(error))
        reason = re.sub(r"<_io[^>]*>", "it", text)
        raise UserError("unreadable", file, f"not a .ts file that aeon reads: {reason}") from None


def _header(lines: IO[str]) -> list[str]:
    """All lines up to @data."""
    header = []
    while line := lines.readline():
        header.append(line)
        if line.split()[:1] and line.split()[0].lower() == "@data":
            break
    return header


def sequences(file: Path) -> Sequence[Any]:
    """Arrays (T, F), without their targets."""
    return [np.asarray(case).T for x, _ in blocks(file) for case in x]


def header(file: Path) -> dict[str, str]:
    """What follows each @word before @data, the words in small letters."""
    facts = {}
    with io.TextIOWrapper(open_bytes(file), "utf-8", "replace") as lines:
        for line in lines:
            name, _, value = line.strip().partition(" ")
            if name.lower() == "@data":
                break
            if name.startswith("@"):
                facts[name[1:].lower()] = value.strip()
    return facts
