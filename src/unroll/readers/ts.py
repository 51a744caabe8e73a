"""The UCR and UEA archives' own format, read by aeon."""

import contextlib
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from unroll.base.errors import UserError

HOLDS = "labelled"
ENDINGS = (".ts",)


def aeon_datasets() -> Any:
    """aeon's module of files and data sets; where it is missing, raises `UserError` that names the extra."""
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            from aeon import datasets
    except ImportError:
        raise UserError("not-installed", "aeon", "not installed, and it reads .ts files and the archives' data sets. "
                        "Install the extra: pip install 'unroll[aeon]', or `make install`, which has it.") from None
    return datasets


def load(file: Path) -> tuple[Any, Any]:
    """Cases (F, T), an array or a list, and their classes or values; raises `UserError` when aeon cannot read it."""
    try:
        return aeon_datasets().load_from_ts_file(str(file))     # type: ignore[no-any-return]
    except (OSError, ValueError, IndexError, KeyError, TypeError, UnicodeDecodeError) as error:
        reason = re.sub(r"<_io[^>]*>", "it", str(error))
        raise UserError("unreadable", file, f"not a .ts file that aeon reads: {reason}") from None


def sequences(file: Path) -> Sequence[Any]:
    """Arrays (T, F), without their targets."""
    return [np.asarray(case).T for case in load(file)[0]]


def header(file: Path) -> dict[str, str]:
    """What follows each @word before @data, the words in small letters."""
    facts = {}
    with file.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            name, _, value = line.strip().partition(" ")
            if name.lower() == "@data":
                break
            if name.startswith("@"):
                facts[name[1:].lower()] = value.strip()
    return facts
