"""Sources of sequences in memory or read when they are asked for: items, one stream, series to be forecast."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any

import numpy as np

from unroll.base.errors import Code
from unroll.data.source import LayoutName, Piece, Place, Source, Split
from unroll.readers.common.advice import remedy
from unroll.readers.common.columns import MARK


def unusable(value: float) -> tuple[Code, str]:
    """What is wrong with a number that is NaN or infinite, and what to do."""
    if np.isinf(value):
        return "bad-number", "infinite. Correct it, or leave the sequence out."
    return "missing-number", f"missing. Fill it, or leave the sequence out.{remedy(MARK, 'missing')}"


class Lazy(Sequence[Any]):
    """What a function has for 0 … n - 1, made when it is asked for."""

    def __init__(self, length: int, make: Callable[[int], Any]) -> None:
        self._length, self._make = length, make

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, slice):
            return [self._make(index) for index in range(self._length)[at]]
        return self._make(range(self._length)[at])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None     # type: ignore[assignment]


def joined(*parts: Sequence[Any]) -> Lazy:
    """One part after another."""
    starts = [0, *accumulate(map(len, parts))]

    def at(index: int) -> Any:
        number = bisect_right(starts, index) - 1
        return parts[number][index - starts[number]]

    return Lazy(starts[-1], at)


def numbered(count: int) -> Lazy:
    """Names of sequences that have none."""
    return Lazy(count, lambda at: str(at + 1))


class Items(Source):
    """Sequences, which may be `Lazy`, and which of them are in which split."""

    layout: LayoutName = "items"

    def __init__(self, pieces: Sequence[Piece], splits: Mapping[str, Any], names: Sequence[str] = (),
                 columns: Mapping[str, Sequence[str]] | None = None) -> None:
        self._pieces, self._splits, self._names = pieces, splits, names
        self.columns = columns or {}

    def pieces(self, split: Split) -> Iterator[Piece]:
        return (self._pieces[index] for index in self._splits[split])

    def places(self, split: Split) -> Sequence[Place]:
        if not len(self._names):
            return ()
        members = self._splits[split]
        return Lazy(len(members), lambda at: Place(self._names[members[at]]))


class OneStream(Source):
    """One long sequence, its splits one after another; with `step`, in stretches of so many steps."""

    layout: LayoutName = "stream"

    def __init__(self, fields: Piece, bounds: Mapping[str, tuple[int, int]], step: int | None = None) -> None:
        self._fields, self._bounds, self._step = fields, bounds, step

    def pieces(self, split: Split) -> Iterator[Piece]:
        first, last = self._bounds[split]
        for start in range(first, last, self._step or last - first) if first < last else [first]:
            end = last if self._step is None else min(start + self._step, last)
            yield {name: values[start:end] for name, values in self._fields.items()}

    def places(self, split: Split) -> Sequence[Place]:
        return [Place("1", self._bounds[split][0])]
