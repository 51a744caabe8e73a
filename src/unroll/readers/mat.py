"""MATLAB files of sequences, as the piano rolls of Boulanger-Lewandowski et al. (2012) are."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from unroll.base.errors import UserError

HOLDS = "sequences"
ENDINGS = (".mat",)
PARTS = {"train": "traindata", "validation": "validdata", "test": "testdata"}


def load(file: Path, split: str) -> Sequence[Any]:
    """The sequences (T, F) of a split, which SciPy can only read into memory, all of them at once.

    Raises `UserError` when the file has no such array.
    """
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        sequences: Sequence[Any] = loadmat(file, variable_names=[PARTS[split]])[PARTS[split]][0]
        return sequences
    except (MatReadError, ValueError, LookupError, TypeError, NotImplementedError) as error:
        raise UserError("unreadable", file, f"not a MATLAB file with {', '.join(PARTS.values())} ({error}).") from None


def sequences(file: Path) -> Sequence[Any]:
    """Those of the test split."""
    return list(load(file, "test"))
