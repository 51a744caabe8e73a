"""Sources of sequences in memory or read when they are asked for: items, one stream, series to be forecast."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate, pairwise
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.base.errors import UserError
from unroll.config.data import ForecastConfig
from unroll.data.source import SPLITS, UNKNOWN, LayoutName, Piece, Place, Source, Split
from unroll.readers.common.advice import remedy
from unroll.readers.common.columns import MARK
from unroll.sources.common.splits import cut


def missing_number(value: float) -> str:
    """What is wrong with a number that is NaN or infinite, and what to do."""
    if np.isinf(value):
        return "infinite. Correct it, or leave the sequence out."
    return f"missing. Fill it, or leave the sequence out.{remedy(MARK, 'missing')}"



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


class Series(Source):
    """One or several series to be forecast, each cut in time; a later split begins with what its windows read.

    A series with gaps has `stretches`, (s + 1,) where each begins and the last one ends, and is given in pieces without
    gaps that are long enough for a forecast. `beside` are targets of the same steps, which are not known where they
    are another split's. Raises `UserError` when a split of a series is too short for a forecast.
    """

    layout: LayoutName = "windows"

    def __init__(self, field: str, series: Sequence[Any], names: Sequence[str], forecast: ForecastConfig,
                 validation: float, test: float, beside: Mapping[str, Sequence[Any]] = MappingProxyType({}),
                 stretches: Sequence[NDArray[np.int64]] | None = None) -> None:
        self._beside, self._stretches = beside, stretches
        self._field, self._series, self._names = field, series, names
        self._before = forecast.context + forecast.season
        self._shares = validation, test
        self._least = self._before + forecast.horizon       # steps of a piece
        for number, (values, name) in enumerate(zip(series, names, strict=True)):
            bounds = cut(len(values), validation, test)
            least = {"train": self._before + forecast.horizon, "validation": forecast.horizon, "test": forecast.horizon}
            for split in SPLITS:
                first, last = bounds[split]
                if last - first < least[split]:
                    owner = "the series" if len(series) == 1 else f"series {name!r}"
                    raise UserError("too-short", "data.forecast", (
                        f"the {split} split of {owner} has {last - first} of {len(values)} steps where a "
                        f"forecast of {forecast.horizon} needs {least[split]}. Give a longer series, a larger share, "
                        "or a shorter horizon, context or season."))
                if not self._bounds(number, split):
                    raise UserError("too-short", "data.gaps", f"the {split} split of series {name!r} has no "
                                    f"{self._least} steps without a gap, which a forecast of {forecast.horizon} needs. "
                                    "Choose a shorter horizon, context or season, or set data.gaps to fill or ignore.")

    def pieces(self, split: Split) -> Iterator[Piece]:
        for number, values in enumerate(self._series):
            own = cut(len(values), *self._shares)[split][0]
            for first, last in self._bounds(number, split):
                yield {self._field: values[first:last], **{name: _unknown(
                    steps[number][first:last], max(0, own - first)) for name, steps in self._beside.items()}}

    def places(self, split: Split) -> Sequence[Place]:
        if self._stretches is None:
            return Lazy(len(self._series), lambda at: Place(self._names[at], self._bounds(at, split)[0][0]))
        return [Place(self._names[number], first) for number in range(len(self._series))
                for first, _ in self._bounds(number, split)]

    def _bounds(self, number: int, split: Split) -> list[tuple[int, int]]:
        """The steps of the pieces of a series, from the first that a window reads whose forecast is of the split."""
        own, last = cut(len(self._series[number]), *self._shares)[split]
        first = 0 if split == "train" else max(0, own - self._before)
        if self._stretches is None or len(self._stretches[number]) == 2:
            return [(first, last)]
        pieces = [(max(first, start), min(last, end)) for start, end in pairwise(self._stretches[number].tolist())]
        return [(start, end) for start, end in pieces if end - start >= self._least]


def _unknown(values: NDArray[Any], count: int) -> NDArray[Any]:
    """The same steps, of which the first `count` are not known."""
    if not count:
        return values
    names = values.dtype.kind in "UO"
    values = np.array(values, None if names else np.float64)
    values[:count] = UNKNOWN if names else np.nan
    return values
