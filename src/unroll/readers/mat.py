"""MATLAB files of sequences, as the piano rolls of Boulanger-Lewandowski et al. (2012) are."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from unroll.base.errors import UserError

HOLDS = "sequences"
ENDINGS = (".mat",)
PARTS = {"train": "traindata", "validation": "validdata", "test": "testdata"}


def load(file: Path) -> dict[str, Sequence[Any]]:
    """The sequences (T, F) of each split; raises `UserError` when the file has no such arrays."""
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        content = loadmat(file)
        return {split: content[name][0] for split, name in PARTS.items()}
    except (MatReadError, ValueError, LookupError, TypeError, NotImplementedError) as error:
        raise UserError("unreadable", file, f"not a MATLAB file with {', '.join(PARTS.values())} ({error}).") from None


def sequences(file: Path) -> Sequence[Any]:
    """Those of the test split."""
    return list(load(file)["test"])
