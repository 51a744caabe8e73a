"""Series to be forecast, each cut in time."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.base.errors import UserError
from unroll.config.data import ForecastConfig
from unroll.data.source import SPLITS, UNKNOWN, LayoutName, Piece, Place, Source, Split
from unroll.sources.common.memory import Lazy
from unroll.sources.common.splits import cut


class Series(Source):
    """One or several series; a later split begins with what its windows read.

    Of several, those that are too short for a forecast in each split are left out, and those of fewer than `min_length`
    steps. A series with gaps has `stretches`, (s + 1,) where each begins and the last one ends, and is given in pieces
    without gaps that are long enough. `beside` are targets of the same steps, which are not known where they are
    another split's; `inputs` are other inputs of these steps, and `static` what stands for a whole series. `time_of`
    gives the time of a series' step. Raises `UserError` when no series is long enough.
    """

    layout: LayoutName = "windows"

    def __init__(self, field: str, series: Sequence[Any], names: Sequence[str], forecast: ForecastConfig,
                 validation: float, test: float, beside: Mapping[str, Sequence[Any]] = MappingProxyType({}),
                 stretches: Sequence[NDArray[np.int64]] | None = None, min_length: int | None = None,
                 time_of: Callable[[int, int], str] | None = None,
                 inputs: Mapping[str, Sequence[Any]] = MappingProxyType({}),
                 static: Mapping[str, Any] = MappingProxyType({})) -> None:
        self._beside, self._stretches, self._time_of = beside, stretches, time_of
        self._inputs, self._static = inputs, static
        self._field, self._series, self._names = field, series, names
        self._before, self._horizon = forecast.context + forecast.season, forecast.horizon
        self._shares = validation, test
        self._least = self._before + forecast.horizon       # steps of a piece
        lengths = np.array([len(values) for values in series])
        self._kept = [number for number, length in enumerate(lengths) if length >= (min_length or 0)
                      and self._short(number) is None]
        if not self._kept:
            raise self._refused(int(lengths.argmax()), len(series), min_length)
        if len(self._kept) < len(series):
            shortest = lengths[self._kept].min()
            self.notes = (f"{len(series) - len(self._kept):,} of {len(series):,} series are left out as too short; the "
                          f"shortest of the others has {shortest:,} steps",)

    def pieces(self, split: Split) -> Iterator[Piece]:
        for number in self._kept:
            values = self._series[number]
            own = cut(len(values), *self._shares)[split][0]
            for first, last in self._bounds(number, split):
                yield {
                    self._field: values[first:last],
                    **{name: steps[number][first:last] for name, steps in self._inputs.items()},
                    **{name: whole[number] for name, whole in self._static.items()},
                    **{name: _unknown(steps[number][first:last], max(0, own - first))
                       for name, steps in self._beside.items()},
                }

    def places(self, split: Split) -> Sequence[Place]:
        if self._stretches is None:
            return Lazy(len(self._kept), lambda at: self._place(self._kept[at],
                                                                self._bounds(self._kept[at], split)[0][0]))
        return [self._place(number, first) for number in self._kept for first, _ in self._bounds(number, split)]

    def _place(self, number: int, first: int) -> Place:
        return Place(self._names[number], first, "" if self._time_of is None else self._time_of(number, first))

    def _bounds(self, number: int, split: Split) -> list[tuple[int, int]]:
        """The steps of the pieces of a series, from the first that a window reads whose forecast is of the split."""
        own, last = cut(len(self._series[number]), *self._shares)[split]
        first = 0 if split == "train" else max(0, own - self._before)
        if self._stretches is None or len(self._stretches[number]) == 2:
            return [(first, last)]
        pieces = [(max(first, start), min(last, end)) for start, end in pairwise(self._stretches[number].tolist())]
        return [(start, end) for start, end in pieces if end - start >= self._least]

    def _short(self, number: int) -> Split | None:
        """The first split for which a series has too few steps, or none without a gap."""
        bounds = cut(len(self._series[number]), *self._shares)
        for split in SPLITS:
            first, last = bounds[split]
            if last - first < self._needed(split) or not self._bounds(number, split):
                return split
        return None

    def _needed(self, split: Split) -> int:
        return self._least if split == "train" else self._horizon

    def _refused(self, number: int, count: int, min_length: int | None) -> UserError:
        """Why not even the longest series can be forecast."""
        steps, split = len(self._series[number]), self._short(number)
        owner = "the series" if count == 1 else f"the longest series, {self._names[number]!r},"
        if split is None:
            return UserError("too-short", "data.min_length", f"{owner} has {steps} steps where at least {min_length} "
                             "are asked for. Choose fewer.")
        first, last = cut(steps, *self._shares)[split]
        if last - first < self._needed(split):
            return UserError("too-short", "data.forecast", f"the {split} split of {owner} has {last - first} of "
                             f"{steps} steps where a forecast of {self._horizon} needs {self._needed(split)}. Give a "
                             "longer series, a larger share, or a shorter horizon, context or season.")
        return UserError("too-short", "data.gaps", f"the {split} split of {owner} has no {self._least} steps "
                         f"without a gap, which a forecast of {self._horizon} needs. Choose a shorter horizon, context "
                         "or season, or set data.gaps to fill or ignore.")


def _unknown(values: NDArray[Any], count: int) -> NDArray[Any]:
    """The same steps, of which the first `count` are not known."""
    if not count:
        return values
    names = values.dtype.kind in "UO"
    values = np.array(values, None if names else np.float64)
    values[:count] = UNKNOWN if names else np.nan
    return values
