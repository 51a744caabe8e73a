"""NumPy's archives of arrays; pickled objects are refused."""

import zipfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.base.errors import UserError

HOLDS = "arrays"
ENDINGS = (".npz",)
READ = ("X", "X_test", "X_train")       # the sequences of a prediction, the first that there is
SPLITS = {"train": ("train",), "validation": ("validation", "val"), "test": ("test",)}      # how arrays' names may end


class Arrays:
    """X, y and lengths of each split, read when they are asked for; raises `UserError` naming file and array."""

    def __init__(self, file: Path) -> None:
        self.file = file
        if not zipfile.is_zipfile(file):
            raise UserError("unreadable", file, "not an .npz file that NumPy reads. Write one with np.savez(path, "
                            "X_train=...).")
        self._opened = file.open("rb")
        try:
            self._loaded = np.load(self._opened, allow_pickle=False)        # a pickle could run anything
        except Exception as error:      # a damaged archive can fail in any way
            self._opened.close()
            raise UserError("damaged", file, f"damaged ({error}). Write the file again.") from None
        self.names: list[str] = sorted(self._loaded.files)

    def close(self) -> None:
        self._loaded.close()
        self._opened.close()

    @property
    def listed(self) -> str:
        """The names of all arrays, for messages."""
        return ", ".join(self.names) or "no arrays"

    def name(self, kind: str, split: str) -> str | None:
        """The name of X, y or lengths of a split in the file; None when the file lacks it."""
        return next((name for end in SPLITS[split] if (name := f"{kind}_{end}") in self.names), None)

    def get(self, kind: str, split: str) -> tuple[str, NDArray[Any]]:
        name = self.name(kind, split)
        if name is None:
            raise UserError("missing-value", self.file, f"no array {kind}_{split}; it has {self.listed}. Add it.")
        return name, self.load(name)

    def load(self, name: str) -> NDArray[Any]:
        try:
            return np.asarray(self._loaded[name])
        except ValueError as error:
            if "Object arrays" not in str(error):
                raise self._damaged(name, error) from None
            raise UserError("unsupported", f"{self.file}: {name}", "an array of Python objects, which only pickle "
                            "reads and which is refused. Pad sequences to one length and give their lengths beside it; "
                            "write text as np.array(labels, dtype=str).") from None
        except Exception as error:      # a damaged file can fail in any way
            raise self._damaged(name, error) from None

    def _damaged(self, name: str, error: Exception) -> UserError:
        reason = " ".join(str(error).split()).rstrip(".")
        return UserError("damaged", f"{self.file}: {name}", f"damaged ({reason}). Write the file again.")


def sequences(file: Path) -> Sequence[Any]:
    """Arrays (T, F) or (T,) of `X`, `X_test`, `X_train` or the only array, cut at `lengths` where there are any."""
    with closing(Arrays(file)) as arrays:
        name = next((name for name in READ if name in arrays.names), "".join(arrays.names[:1]))
        if name not in READ and len(arrays.names) != 1:
            raise UserError("missing-value", file, f"no array X; it has {arrays.listed}. Add it.")
        values = arrays.load(name)
        if values.ndim not in (2, 3):
            raise UserError("wrong-type", f"{file}: {name}", f"has shape {values.shape}. Give (sequences, steps, "
                            "numbers).")
        lengths = f"lengths{name.removeprefix('X')}" if name in READ else "lengths"
        if lengths not in arrays.names:
            return list(values)
        return cut(values, name, arrays.load(lengths), f"{file}: {lengths}")


def cut(values: NDArray[Any], name: str, lengths: NDArray[Any], where: str) -> list[NDArray[Any]]:
    """(n, T, …) padded at the end → n arrays; raises `UserError` when `lengths` do not fit."""
    check_lengths(values, name, lengths, where)
    return [sequence[:length] for sequence, length in zip(values, lengths, strict=True)]


def check_lengths(values: NDArray[Any], name: str, lengths: NDArray[Any], where: str) -> None:
    if lengths.shape != values.shape[:1] or lengths.dtype.kind not in "iu":
        raise UserError("unequal-lengths", where, f"{lengths.dtype} of shape {lengths.shape} where {name} has "
                        f"{len(values)} sequences. Give a whole number for each.")
    for at in np.flatnonzero((lengths < 1) | (lengths > values.shape[1]))[:1]:
        raise UserError("out-of-range", f"{where}[{at}]", f"{lengths[at]} where {name} has 1 to {values.shape[1]} "
                        "steps. Correct it.")
