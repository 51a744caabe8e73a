"""One NumPy array: a sequence, or several of equal length."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from unroll.base.errors import UserError

HOLDS = "sequences"
ENDINGS = (".npy",)


def sequences(file: Path) -> Sequence[Any]:
    """(T, F), or each of (n, T, F); raises `UserError` when it is not an array of these shapes."""
    try:
        values = np.load(file, allow_pickle=False)      # a pickle could run anything
    except Exception as error:      # a damaged file can fail in any way
        reason = " ".join(str(error).split()).rstrip(".")
        raise UserError("unreadable", file, f"not an .npy file of a plain array: {reason}. Write one with "
                        "np.save(path, X).") from None
    if getattr(values, "ndim", 0) not in (2, 3):
        raise UserError("wrong-type", file, f"an array of shape {np.shape(values)}. Give (steps, numbers), or several "
                        "such.")
    return list(values) if values.ndim == 3 else [values]
