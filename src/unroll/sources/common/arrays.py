"""Padded arrays of one split, a field each: checked, and kept on disk."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unroll.base.errors import UserError
from unroll.data.npy import stretch_of
from unroll.readers.common.numbers import Numbers
from unroll.readers.npz import Arrays, as_names, no_names
from unroll.sources.common.memory import unusable


class Shape(NamedTuple):
    dimensions: int
    words: str
    per_step: bool = True
    named: bool = False     # classes or categories, not numbers


SHAPES: Mapping[str, Shape] = {
    "real": Shape(3, "(n, T, F) or (n, T)"),
    "categories": Shape(3, "(n, T, K) or (n, T)", named=True),
    "static_real": Shape(2, "(n, F) or (n,)", per_step=False),
    "static_categories": Shape(2, "(n, K) or (n,)", per_step=False, named=True),
    "context_real": Shape(3, "(n, T, F) or (n, T)"),
    "context_categories": Shape(3, "(n, T, K) or (n, T)", named=True),
    "class": Shape(1, "(n,)", per_step=False, named=True),
    "value": Shape(2, "(n, D) or (n,)", per_step=False),
    "tag": Shape(2, "(n, T)", named=True),
    "values": Shape(3, "(n, T, D) or (n, T)"),
    "labels": Shape(3, "(n, T, L)"),
}
OTHERWISE = {"real": "categories", "static_real": "static_categories", "value": "class", "values": "tag",
             "class": "value", "tag": "values", "categories": "real", "static_categories": "static_real",
             "context_real": "context_categories", "context_categories": "context_real"}


class Size(NamedTuple):
    """What all arrays of a split must have, as the one of this name does."""

    name: str
    sequences: int
    steps: int


class Field:
    """An array whose rows are sequences. `field.value(at, length)` is that of a sequence in its first steps."""

    def __init__(self, arrays: Arrays, name: str, setting: str, kind: str, holes: bool) -> None:
        """From the array's header; `setting` is data.inputs.x or data.targets.x; `holes`: numbers may be missing."""
        self.name, self.setting, self.kind = name, setting, kind
        self.where, self._arrays, self._shape = f"{arrays.file}: {name}", arrays, SHAPES[kind]
        self._holes = holes
        self._dtype, found, _ = arrays.header(name)
        self.shape = self._full(found)
        if len(self.shape) != self._shape.dimensions:
            one_hot = " (of one-hot rows, take the argmax)" if self._shape.named else ""
            raise UserError("wrong-type", self.where, f"has shape {found}; {setting} is {kind}, which needs "
                            f"{self._shape.words}: n sequences of T steps. Reshape it{one_hot}, or choose another "
                            "kind.")
        if self._dtype.kind not in ("iufbUS" if self._shape.named else "iufb"):
            needed = "whole numbers or names" if self._shape.named else "numbers"
            other = f" If these are classes, choose {OTHERWISE[kind]}." if kind in OTHERWISE else ""
            raise UserError("wrong-type", self.where, f"of type {self._dtype}; {setting} is {kind}, which needs "
                            f"{needed}.{'' if self._shape.named else other}")
        if not np.prod(self.shape):
            raise UserError("empty", self.where, f"empty, of shape {found}. Give sequences, or leave the split out.")

    def _full(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """With a dimension that was left out; a class of a sequence or a step without one that is too many."""
        if self.kind in ("class", "tag") and len(shape) == self._shape.dimensions + 1 and shape[-1] == 1:
            return shape[:-1]
        left_out = len(shape) == self._shape.dimensions - 1 and self.kind not in ("class", "tag", "labels")
        return (*shape, 1) if left_out else shape

    @property
    def per_step(self) -> bool:
        return self._shape.per_step

    @property
    def width(self) -> int:
        """Numbers or names of a step, or of a sequence."""
        return self.shape[-1] if self._shape.dimensions == 2 + self.per_step else 1

    @property
    def size(self) -> Size:
        return Size(self.name, self.shape[0], self.shape[1])

    def read(self, size: Size, lengths: NDArray[np.int64], scratch: Path | None) -> None:
        """Copy the array to a temporary file in `scratch`, and check every value of the sequences' own steps.

        Raises `UserError` naming it; padding may be anything. NaN and empty names of targets are unknown.
        """
        if self.shape[0] != size.sequences:
            raise UserError("unequal-lengths", self.where, f"{self.shape[0]} where {size.name} has {size.sequences} "
                            "sequences. Give one for each.")
        if self.per_step and self.shape[1] != size.steps:
            raise UserError("unequal-lengths", self.where, f"{self.shape[1]} steps where {size.name} has {size.steps}. "
                            "Give as many.")
        self._numbers = Numbers(scratch, (block.reshape(len(block), *self.shape[1:])
                                          for block in self._arrays.blocks(self.name, scratch)))
        self._whole = True      # whether every label is known
        for first, block in self._blocks():
            own = np.ones((len(block), 1), bool)
            if self.per_step:
                own = np.arange(size.steps) < lengths[first : first + len(block), None]
            self._check(first, block, own.reshape(*own.shape, *[1] * (block.ndim - 2)) if block.ndim > 1 else own[:, 0])

    def _blocks(self) -> Iterator[tuple[int, NDArray[Any]]]:
        step = stretch_of(self._numbers.width)
        for first in range(0, len(self._numbers), step):
            yield first, self._numbers[first : first + step]

    def _check(self, first: int, block: NDArray[Any], own: NDArray[np.bool_]) -> None:
        """Raise at the first value that cannot be used; of row `first` on."""
        if block.dtype.kind == "S":
            try:
                as_names(block)
            except UnicodeDecodeError as error:
                raise UserError("bad-label", self.where, f"{error.object!r} is not UTF-8. Write names as "
                                "text.") from None
        if block.dtype.kind != "f" and self.kind != "labels":
            return
        known = own & ~np.isnan(block)
        if self._shape.named:
            self._refuse("bad-label", first, block, own & no_names(block), (
                f", which names no {self.kind}. Give whole numbers or names, or, if it is a number, choose "
                f"{OTHERWISE[self.kind]}."))
        elif self.kind == "labels":
            self._whole &= bool((known | ~own).all())
            self._refuse("bad-label", first, block, known & (block != 0) & (block != 1), (
                " where a label is 0 or 1. For numbers choose values."))
        else:
            wrong = own & (np.isinf(block) if self._holes else ~np.isfinite(block))
            for value in block[wrong][:1]:
                code, text = unusable(value)
                self._refuse(code, first, block, wrong, f": {text}")

    def _refuse(self, code: Any, first: int, block: NDArray[Any], wrong: NDArray[np.bool_], text: str) -> None:
        for place in np.argwhere(wrong)[:1]:
            at = ", ".join(map(str, [place[0] + first, *place[1:]]))
            raise UserError(code, f"{self.where}[{at}]", f"{block[tuple(place)]}{text}")

    def value(self, at: int, length: int) -> Any:
        """(T, F) or (T,) in steps, (F,) of a sequence, a text of a class."""
        own = self._numbers[at]
        if self.per_step:
            own = own[:length]
        if self._shape.named:
            return str(as_names(own)) if self.kind == "class" else as_names(own)
        return own.astype(np.uint8 if self.kind == "labels" and self._whole else np.float64)
