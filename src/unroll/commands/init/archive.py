"""An archive's arrays: which split each is of, and what its sequences' own steps hold."""

import re
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unroll.commands.init.columns import Column
from unroll.readers.common.marks import MISSING

SAMPLE = 1 << 22        # numbers of an array that are looked at; its source checks all
# what is predicted, by its name
LABEL = re.compile(r"y([_\d].*)?|(.*_)?(labels?|targets?|class(es)?|tags?|outcomes?)", re.I)


class Array(NamedTuple):
    """Its name without _train, its name in each split, and what it is in training."""

    name: str
    splits: dict[str, str]
    dtype: np.dtype[Any]
    shape: tuple[int, ...]

    @property
    def large(self) -> bool:
        """Whether only its first sequences are looked at."""
        return prod(self.shape) > SAMPLE


@dataclass
class Archive:
    file: Path
    main: Array                         # whose second axis is the steps
    arrays: dict[str, Array] = field(default_factory=dict)      # that may be fields
    columns: dict[str, Column] = field(default_factory=dict)    # what is in their sequences' own steps, flat
    own: set[str] = field(default_factory=set)                  # arrays that have lengths of their own
    left: dict[str, list[str]] = field(default_factory=dict)    # reason → arrays that are left out

    def leave(self, name: str, reason: str = "") -> None:
        self.left.setdefault(reason, []).append(name)

    def where(self, array: Array) -> str:
        """How errors name an array."""
        return f"{self.file}: {array.splits['train']}"

    def per_step(self, array: Array) -> bool:
        """Whether it has as many steps as the main one; one number a sequence is no step."""
        steps = self.main.shape[1]
        return array.shape[1:2] == (steps,) and (len(array.shape) > 2 or steps > 1)

    def width(self, array: Array) -> int:
        """Numbers of a step, or of a sequence."""
        steps = self.per_step(array) or array.name in self.own or array is self.main
        return array.shape[-1] if len(array.shape) == 2 + steps or len(array.shape) > 2 else 1


def column_of(arrays: Any, array: Array, lengths: NDArray[Any] | None) -> Column:
    """The values of the first sequences, in their own steps where lengths are given."""
    parts: list[NDArray[Any]] = []
    first = size = 0
    for block in arrays.blocks(array.splits["train"], None):
        if lengths is not None:
            own = np.arange(block.shape[1]) < lengths[first : first + len(block), None]
            block, first = block[own], first + len(block)
        parts.append(block.ravel())
        size += parts[-1].size
        if size > SAMPLE:
            break
    values = np.concatenate(parts)
    if values.dtype.kind not in "US":
        numbers = values.astype(np.float64)
        return Column(array.name, "number", numbers, float(np.isnan(numbers).mean()) if numbers.size else 0.0)
    cells = (np.char.decode(values, "utf-8", "replace") if values.dtype.kind == "S" else values).astype(object)
    word = next(((at, str(cell)) for at, cell in enumerate(cells) if cell and cell.strip().lower() in MISSING), None)
    return Column(array.name, "text", cells, float(np.mean(cells == "")) if cells.size else 0.0, word=word)
