"""NumPy's own format: padded arrays of sequences and what is to be predicted of them."""

import zipfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.base.errors import UserError
from unroll.config.data import FUTURE, NpzData
from unroll.data.source import Piece, Source
from unroll.sources.held_out import hold_out
from unroll.sources.in_memory import GAPS, Items
from unroll.sources.text import find_files

# split → how its arrays may be called
CALLED = {"train": ("train",), "validation": ("validation", "val"), "test": ("test",)}


def open_arrays(config: NpzData, project: Path) -> Source:
    """A file of X_train, y_train and so on; raises `UserError` naming file, array and index."""
    files = find_files(project, config.path)
    if len(files) > 1:
        raise UserError(f"data.path: {config.path!r} are {len(files)} files. Name one .npz file.")
    _check(config)
    with closing(Arrays(files[0])) as arrays:
        return _items(config, arrays)


def _items(config: NpzData, arrays: "Arrays") -> Items:
    own = {split: arrays.name("X", split) is not None for split in CALLED}
    if own["test"] and config.test is not None:
        raise UserError(f"data.test: {arrays.file} has a test split of its own, X_test. Set data.test=null.")
    if not own["test"] and config.test is None:
        raise UserError(f"{arrays.file}: no array X_test; it has {arrays.said}. Add it, or set data.test to the share "
                        "that is to be held out, such as 0.2.")
    pieces = _pieces(config, arrays, "train")
    names = [str(number + 1) for number in range(len(pieces))]
    splits = hold_out(pieces, config.inputs, config.targets, 0 if own["validation"] else config.validation,
                      config.test or 0, config.seed)
    for split in ("validation", "test"):
        if own[split]:
            added = _pieces(config, arrays, split)
            (field,) = config.inputs
            widths = [each[0][field].shape[1] for each in (pieces, added)]
            if widths[0] != widths[1]:
                raise UserError(f"{arrays.file}: {arrays.name('X', split)} has {widths[1]} numbers a step where "
                                f"{arrays.name('X', 'train')} has {widths[0]}. Give as many.")
            splits[split] = np.arange(len(pieces), len(pieces) + len(added))
            pieces += added
            names += [str(number + 1) for number in range(len(added))]
    return Items(pieces, splits, names)


def _check(config: NpzData) -> None:
    (field, *more), kinds = config.inputs, set(config.inputs.values())
    if kinds != {"real"} or more:
        raise UserError(f"data.inputs.{field}: X_train is one input of kind real. For symbols, write text and choose "
                        "data.kind text, table or folder.")
    others = {name: kind for name, kind in config.targets.items() if kind not in ("next", "next_labels")}
    if len(others) > 1:
        raise UserError(f"data.targets: y_train is one target, not {len(others)}: {', '.join(others)}. Leave all but "
                        "one out.")
    if "forecast" in others.values():
        raise UserError("data.targets: a forecast is made from a series, not from arrays of sequences. Write it as a "
                        "table and choose data.kind=table.")


class Arrays:
    """The file's arrays, each read when it is asked for."""

    def __init__(self, file: Path) -> None:
        self.file = file
        if not zipfile.is_zipfile(file):
            raise UserError(f"{file}: not an .npz file that NumPy reads. Write one with np.savez(path, X_train=..., "
                            "y_train=...).")
        loaded = np.load(file, allow_pickle=False)      # a pickle could run anything
        self._loaded = loaded
        self.said = ", ".join(sorted(loaded.files)) or "no arrays"

    def close(self) -> None:
        self._loaded.close()

    def name(self, kind: str, split: str) -> str | None:
        """X, y or lengths of a split as the file calls it; None when the file lacks it."""
        return next((name for end in CALLED[split] if (name := f"{kind}_{end}") in self._loaded.files), None)

    def get(self, kind: str, split: str) -> tuple[str, NDArray[Any]]:
        name = self.name(kind, split)
        if name is None:
            raise UserError(f"{self.file}: no array {kind}_{split}; it has {self.said}. Add it.")
        try:
            return name, self._loaded[name]
        except ValueError:
            raise UserError(f"{self.file}: {name} is an array of Python objects, which only pickle reads and which is "
                            f"refused. Pad sequences to one length and give lengths_{split}; write text as "
                            "np.array(labels, dtype=str).") from None
        except (OSError, EOFError, zipfile.BadZipFile) as error:
            raise UserError(f"{self.file}: {name} is damaged ({error}). Write the file again.") from None


def _pieces(config: NpzData, arrays: Arrays, split: str) -> list[Piece]:
    name, x = arrays.get("X", split)
    where = f"{arrays.file}: {name}"
    if x.ndim == 2:
        x = x[..., None]
    if x.ndim != 3:
        raise UserError(f"{where} has shape {x.shape} where (n, T, F) or (n, T) is expected: sequences, steps, numbers "
                        "a step. Reshape it.")
    if x.dtype.kind not in "iufb":
        raise UserError(f"{where} is of type {x.dtype}, not numbers. Write it as float32.")
    if not x.size:
        raise UserError(f"{where} is empty, of shape {x.shape}. Give sequences, or leave the split out.")
    lengths = _lengths(arrays, split, name, x)
    _finite(x, lengths, where)
    (field,) = config.inputs
    pieces: list[Piece] = [{field: each[:length].astype(np.float64)} for each, length in zip(x, lengths, strict=True)]
    for target, kind in config.targets.items():
        if kind not in FUTURE:
            for piece, value in zip(pieces, _targets(arrays, split, target, kind, name, x, lengths), strict=True):
                piece[target] = value
    return pieces


def _lengths(arrays: Arrays, split: str, x_name: str, x: NDArray[Any]) -> NDArray[np.int64]:
    if arrays.name("lengths", split) is None:
        return np.full(len(x), x.shape[1])
    name, lengths = arrays.get("lengths", split)
    where = f"{arrays.file}: {name}"
    if lengths.shape != x.shape[:1] or lengths.dtype.kind not in "iu":
        raise UserError(f"{where} is {lengths.dtype} of shape {lengths.shape} where {x_name} has {len(x)} sequences. "
                        "Give a whole number for each.")
    for at in np.flatnonzero((lengths < 1) | (lengths > x.shape[1]))[:1]:
        raise UserError(f"{where}[{at}] is {lengths[at]} where {x_name} has 1 to {x.shape[1]} steps. Mend it.")
    return lengths.astype(np.int64)


def _finite(values: NDArray[Any], lengths: NDArray[np.int64] | None, where: str) -> None:
    """Of each sequence's own steps; what stands in the padding is nothing."""
    wrong = ~np.isfinite(values)
    if lengths is not None:
        wrong &= (np.arange(values.shape[1]) < lengths[:, None])[..., None]
    for place in np.argwhere(wrong)[:1]:
        index = ", ".join(map(str, place))
        raise UserError(f"{where}[{index}] is {values[tuple(place)]}. {GAPS}")


# what y is of, by target: dimensions without and with a last one that may be left out when it is 1
SHAPES: Mapping[str, tuple[int, str]] = {
    "class": (1, "(n,)"), "value": (2, "(n, D) or (n,)"), "tag": (2, "(n, T)"), "values": (3, "(n, T, D) or (n, T)"),
    "labels": (3, "(n, T, L)"),
}


def _targets(
    arrays: Arrays, split: str, target: str, kind: str, x_name: str, x: NDArray[Any], lengths: NDArray[np.int64]
) -> list[Any]:
    """A class, a vector, or an array of the sequence's steps for each sequence."""
    name, y = arrays.get("y", split)
    where = f"{arrays.file}: {name}"
    if y.ndim == 0 or len(y) != len(x):
        raise UserError(f"{where} has {len(y) if y.ndim else 'one value'} where {x_name} has {len(x)} sequences. Give "
                        "one for each.")
    dimensions, expected = SHAPES[kind]
    if kind in ("value", "values") and y.ndim == dimensions - 1:
        y = y[..., None]
    if kind == "class" and y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    per_step = kind in ("tag", "values", "labels")
    if y.ndim != dimensions or (per_step and y.shape[1] != x.shape[1]):
        raise UserError(f"{where} has shape {y.shape}; data.targets.{target} is a {kind}, which needs {expected} with "
                        f"n = {len(x)} and T = {x.shape[1]}. Reshape it (of one-hot rows, take the argmax), or choose "
                        "another target.")
    if kind in ("class", "tag"):
        named = _names(y, lengths if per_step else None, where, kind)
        return [each[:length] for each, length in zip(named, lengths, strict=True)] if per_step else named.tolist()
    if y.dtype.kind not in "iufb":
        other = "class" if kind == "value" else "tag"
        raise UserError(f"{where} is of type {y.dtype}; data.targets.{target} is a {kind}, which needs numbers. If "
                        f"these are classes, choose {other}.")
    _finite(y, lengths if per_step else None, where)
    if not per_step:
        return list(y.astype(np.float64))
    if kind == "labels":
        known = np.arange(y.shape[1]) < lengths[:, None]
        for place in np.argwhere((y != 0) & (y != 1) & known[..., None])[:1]:
            raise UserError(f"{where}[{', '.join(map(str, place))}] is {y[tuple(place)]} where a label is 0 or 1. For "
                            "numbers choose values.")
    numbers = y.astype(np.uint8 if kind == "labels" else np.float64)
    return [each[:length] for each, length in zip(numbers, lengths, strict=True)]


def _names(y: NDArray[Any], lengths: NDArray[np.int64] | None, where: str, kind: str) -> NDArray[np.str_]:
    """Classes as text: 3, not 3.0, for whole numbers; raises on numbers that are not whole, and on empty names."""
    known = np.ones(y.shape, bool) if lengths is None else np.arange(y.shape[1]) < lengths[:, None]
    if y.dtype.kind == "f":
        for place in np.argwhere((y != np.round(y)) & known)[:1]:       # NaN is not equal to itself
            other = "value" if kind == "class" else "values"
            raise UserError(f"{where}[{', '.join(map(str, place))}] is {y[tuple(place)]}, not a {kind}. Give whole "
                            f"numbers or names, or, if it is a number to be predicted, choose {other}.")
        y = np.where(known, y, 0).astype(np.int64)
    elif y.dtype.kind == "S":
        y = np.char.decode(y, "utf-8")
    elif y.dtype.kind not in "iubU":
        raise UserError(f"{where} is of type {y.dtype}, no {kind}. Give whole numbers or names.")
    names = y.astype(str)
    for place in np.argwhere((names == "") & known)[:1]:
        raise UserError(f"{where}[{', '.join(map(str, place))}] is an empty {kind}. Give a name, or leave the sequence "
                        "out.")
    return names
