"""Padded arrays of sequences and what is to be predicted from them."""

from collections.abc import Mapping
from contextlib import closing
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.base.errors import UserError
from unroll.config.data import FUTURE
from unroll.config.sources.npz import Settings
from unroll.data.source import Piece, Source
from unroll.readers.npz import SPLITS, Arrays, check_lengths
from unroll.sources.common.access import Access
from unroll.sources.common.memory import GAPS, Items
from unroll.sources.common.splits import hold_out

# of each target, the dimensions of y, the last of which may be left out where it is 1
SHAPES: Mapping[str, tuple[int, str]] = {
    "class": (1, "(n,)"), "value": (2, "(n, D) or (n,)"), "tag": (2, "(n, T)"), "values": (3, "(n, T, D) or (n, T)"),
    "labels": (3, "(n, T, L)"),
}


def open_source(settings: Settings, access: Access) -> tuple[Source, str, str]:
    """A file of X_train, y_train and so on; raises `UserError` naming file, array and index."""
    files = access.files(settings.path)
    if len(files) > 1:
        raise UserError("ambiguous", "data.path", f"{settings.path!r} matches {len(files)} files. Name one .npz file.")
    _check(settings)
    with closing(Arrays(files[0])) as arrays:
        return _items(settings, arrays), settings.path, settings.licence


def _check(settings: Settings) -> None:
    (field, *more), kinds = settings.inputs, set(settings.inputs.values())
    if kinds != {"real"} or more:
        raise UserError("unsupported", f"data.inputs.{field}", "X_train is one input of kind real. For symbols, write "
                        "text and choose data.kind text, table or folder.")
    others = {name: kind for name, kind in settings.targets.items() if kind not in ("next", "next_labels")}
    if len(others) > 1:
        raise UserError("unsupported", "data.targets", f"y_train is one target, not {len(others)}: "
                        f"{', '.join(others)}. Leave all but one out.")
    if "forecast" in others.values():
        raise UserError("unsupported", "data.targets", "a forecast is made from a series, not from arrays of "
                        "sequences. Write it as a table and choose data.kind=table.")


def _items(settings: Settings, arrays: Arrays) -> Items:
    has = {split: arrays.name("X", split) is not None for split in SPLITS}
    if has["test"] and settings.test is not None:
        raise UserError("conflict", "data.test", f"{arrays.file} has a test split of its own, X_test. Set "
                        "data.test=null.")
    if not has["test"] and settings.test is None:
        raise UserError("missing-value", arrays.file, f"no array X_test; it has {arrays.listed}. Add it, or set "
                        "data.test to the share that is to be held out, such as 0.2.")
    pieces = _pieces(settings, arrays, "train")
    names = [str(number + 1) for number in range(len(pieces))]
    splits = hold_out(pieces, settings.inputs, settings.targets, 0 if has["validation"] else settings.validation,
                      settings.test or 0, settings.seed)
    for split in ("validation", "test"):
        if has[split]:
            added = _pieces(settings, arrays, split)
            (field,) = settings.inputs
            widths = [part[0][field].shape[1] for part in (pieces, added)]
            if widths[0] != widths[1]:
                raise UserError("unequal-lengths", f"{arrays.file}: {arrays.name('X', split)}", f"{widths[1]} numbers "
                                f"a step where {arrays.name('X', 'train')} has {widths[0]}. Give as many.")
            splits[split] = np.arange(len(pieces), len(pieces) + len(added))
            pieces += added
            names += [str(number + 1) for number in range(len(added))]
    return Items(pieces, splits, names)


def _pieces(settings: Settings, arrays: Arrays, split: str) -> list[Piece]:
    name, x = arrays.get("X", split)
    where = f"{arrays.file}: {name}"
    if x.ndim == 2:
        x = x[..., None]
    if x.ndim != 3:
        raise UserError("wrong-type", where, f"has shape {x.shape} where (n, T, F) or (n, T) is expected: sequences, "
                        "steps, numbers per step. Reshape it.")
    if x.dtype.kind not in "iufb":
        raise UserError("wrong-type", where, f"of type {x.dtype}, not numbers. Write it as float32.")
    if not x.size:
        raise UserError("empty", where, f"empty, of shape {x.shape}. Give sequences, or leave the split out.")
    lengths = _lengths(arrays, split, name, x)
    _check_finite(x, lengths, where)
    (field,) = settings.inputs
    pieces: list[Piece] = [{field: sequence[:length].astype(np.float64)}
                           for sequence, length in zip(x, lengths, strict=True)]
    for target, kind in settings.targets.items():
        if kind not in FUTURE:
            for piece, value in zip(pieces, _targets(arrays, split, target, kind, name, x, lengths), strict=True):
                piece[target] = value
    return pieces


def _lengths(arrays: Arrays, split: str, x_name: str, x: NDArray[Any]) -> NDArray[np.int64]:
    if arrays.name("lengths", split) is None:
        return np.full(len(x), x.shape[1])
    name, lengths = arrays.get("lengths", split)
    check_lengths(x, x_name, lengths, f"{arrays.file}: {name}")
    return lengths.astype(np.int64)


def _check_finite(values: NDArray[Any], lengths: NDArray[np.int64] | None, where: str) -> None:
    """Each sequence's own steps must be finite; padding may be anything."""
    wrong = ~np.isfinite(values)
    if lengths is not None:
        wrong &= (np.arange(values.shape[1]) < lengths[:, None])[..., None]
    for place in np.argwhere(wrong)[:1]:
        raise UserError("missing-number", f"{where}[{', '.join(map(str, place))}]", f"{values[tuple(place)]}. {GAPS}")


def _targets(
    arrays: Arrays, split: str, target: str, kind: str, x_name: str, x: NDArray[Any], lengths: NDArray[np.int64]
) -> list[Any]:
    """A class, a vector, or an array of the sequence's steps for each sequence."""
    name, y = arrays.get("y", split)
    where = f"{arrays.file}: {name}"
    if y.ndim == 0 or len(y) != len(x):
        raise UserError("unequal-lengths", where, f"{len(y) if y.ndim else 'one value'} where {x_name} has {len(x)} "
                        "sequences. Give one for each.")
    dimensions, expected = SHAPES[kind]
    if kind in ("value", "values") and y.ndim == dimensions - 1:
        y = y[..., None]
    if kind == "class" and y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    per_step = kind in ("tag", "values", "labels")
    if y.ndim != dimensions or (per_step and y.shape[1] != x.shape[1]):
        raise UserError("wrong-type", where, f"has shape {y.shape}; data.targets.{target} is a {kind}, which needs "
                        f"{expected} with n = {len(x)} and T = {x.shape[1]}. Reshape it (of one-hot rows, take the "
                        "argmax), or choose another target.")
    if kind in ("class", "tag"):
        named = _class_names(y, lengths if per_step else None, where, kind)
        return [row[:length] for row, length in zip(named, lengths, strict=True)] if per_step else named.tolist()
    if y.dtype.kind not in "iufb":
        other = "class" if kind == "value" else "tag"
        raise UserError("wrong-type", where, f"of type {y.dtype}; data.targets.{target} is a {kind}, which needs "
                        f"numbers. If these are classes, choose {other}.")
    _check_finite(y, lengths if per_step else None, where)
    if not per_step:
        return list(y.astype(np.float64))
    if kind == "labels":
        known = np.arange(y.shape[1]) < lengths[:, None]
        for place in np.argwhere((y != 0) & (y != 1) & known[..., None])[:1]:
            raise UserError("bad-label", f"{where}[{', '.join(map(str, place))}]", f"{y[tuple(place)]} where a label "
                            "is 0 or 1. For numbers choose values.")
    numbers = y.astype(np.uint8 if kind == "labels" else np.float64)
    return [row[:length] for row, length in zip(numbers, lengths, strict=True)]


def _class_names(y: NDArray[Any], lengths: NDArray[np.int64] | None, where: str, kind: str) -> NDArray[np.str_]:
    """Classes as text: 3, not 3.0, for whole numbers; raises on numbers that are not whole, and on empty names."""
    known = np.ones(y.shape, bool) if lengths is None else np.arange(y.shape[1]) < lengths[:, None]
    if y.dtype.kind == "f":
        for place in np.argwhere((y != np.round(y)) & known)[:1]:       # NaN is not equal to itself
            other = "value" if kind == "class" else "values"
            raise UserError("bad-label", f"{where}[{', '.join(map(str, place))}]", f"{y[tuple(place)]}, not a {kind}. "
                            f"Give whole numbers or names, or, if it is a number to be predicted, choose {other}.")
        y = np.where(known, y, 0).astype(np.int64)
    elif y.dtype.kind == "S":
        y = np.char.decode(y, "utf-8")
    elif y.dtype.kind not in "iubU":
        raise UserError("wrong-type", where, f"of type {y.dtype}, no {kind}. Give whole numbers or names.")
    names = y.astype(str)
    for place in np.argwhere((names == "") & known)[:1]:
        raise UserError("bad-label", f"{where}[{', '.join(map(str, place))}]", f"an empty {kind}. Give a name, or "
                        "leave the sequence out.")
    return names
