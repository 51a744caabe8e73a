"""Windows of series → batches."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.data.batches import Batch, Counts, Shuffled
from unroll.data.fields import Field, Sequences


class Groups(Sequence[NDArray[np.int64]]):
    """Groups of `size` items in the order of `places`, cut from one order of all items when they are asked for."""

    def __init__(self, items: NDArray[Any] | range, size: int, places: NDArray[np.int64] | range) -> None:
        self._items, self._size, self._places = items, size, places

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, at: Any) -> Any:
        first = int(self._places[at]) * self._size
        return np.asarray(self._items[first : first + self._size], np.int64)


class WindowLayout(Shuffled):
    """Windows of series and the steps after them; other targets are those of a window's last step."""

    def _groups(self, epoch: int) -> Sequence[NDArray[np.int64]]:
        """As of sequences that are all of one length; in four bytes for each window."""
        if self._seed is None:
            return Groups(range(len(self.data)), self.size, range(len(self)))
        kind: type[np.integer[Any]] = np.uint32 if len(self.data) < 2**32 else np.int64
        draw, order = self.draw(epoch), np.arange(len(self.data), dtype=kind)
        draw.shuffle(order)
        return Groups(order, self.size, draw.permutation(len(self)))

    def batch(self, index: int, epoch: int = 0, rank: int = 0, ranks: int = 1) -> Batch:
        lanes, first = self.lanes_of(self.groups_of(epoch)[index], rank, ranks)
        frame, bounds = self.data.frame, self.data.bounds
        assert frame is not None and bounds is not None
        bounds, forecast = bounds[lanes.clip(0)], frame.forecast
        name = self.data.series
        assert name is not None
        series = self.data.inputs[name]
        window = series.raw(bounds[:, 0] + np.arange(frame.rows)[:, None])               # (rows, B, D)
        later = bounds[:, 1] + np.arange(forecast.horizon)[:, None]                      # (H, B)
        target = frame.target(window, series.raw(later.clip(0, len(series.values) - 1)))
        target[(lanes < 0) | ~self._forecasts(lanes.clip(0))] = np.nan
        place = bounds[:, 1] - forecast.context + np.arange(forecast.context)[:, None]   # (T, B)
        last = (place == bounds[:, 1] - 1) & (lanes >= 0)
        targets = {name: target} | {other: field.at(place, last) for other, field in self.data.targets.items()}
        lengths = np.where(lanes < 0, 0, forecast.context)
        inputs = {name: frame.encode(window)} | {other: self._beside(field, place, bounds[:, 1], lanes)
                                                 for other, field in self.data.inputs.items() if other != name}
        return Batch(inputs, targets, lengths, True, self.counts(index, epoch), (first, self.size), lanes)

    def _beside(self, field: Field, place: NDArray[np.int64], ends: NDArray[np.int64], lanes: NDArray[np.int64]
                ) -> NDArray[Any]:
        """An input beside the series, at the steps that are read, or of the whole.

        Of what is known ahead, the steps that are forecast and those that they are compared with follow.
        """
        if field.per == "sequence":
            return field.at(self.data.sequence_of(lanes.clip(0)), lanes >= 0)
        if field.known_ahead:
            assert self.data.frame is not None
            place = np.concatenate([place, ends + self.data.frame.ahead[:, None]])
        return field.at(place, np.broadcast_to(lanes >= 0, place.shape))

    def counts(self, index: int, epoch: int = 0) -> Counts:
        group = self.groups_of(epoch)[index]
        assert self.data.bounds is not None
        last = self.data.bounds[group, 1]
        name = self.data.series
        assert name is not None
        counts: Counts = {name: self._known(self.data.inputs[name], last[self._forecasts(group)])}
        return counts | {name: field.count(last - 1, last) for name, field in self.data.targets.items()}

    def _known(self, series: Field, after: NDArray[np.int64]) -> float:
        """Windows before the rows `after`; where steps of their futures are unknown, the share that is known."""
        if series.holes is None:
            return len(after)
        assert self.data.frame is not None
        horizon = self.data.frame.forecast.horizon
        return series.count(after, after + horizon) / horizon

    def _forecasts(self, windows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of the windows have the steps that are forecast."""
        forecasts = self.data.forecasts
        return np.ones(len(windows), bool) if forecasts is None else forecasts[windows]


def stretches(data: Sequences, name: str) -> tuple[NDArray[Any], NDArray[Any]]:
    """The rows of every window (rows, N, D), and the values that follow it (H, N, D); NaN where one is missing."""
    assert data.frame is not None and data.bounds is not None
    series = data.inputs[name]
    rows, horizon = data.frame.rows, data.frame.forecast.horizon
    return (series.raw(data.bounds[:, 0] + np.arange(rows)[:, None]),
            series.raw(data.bounds[:, 1] + np.arange(horizon)[:, None]))


def halves(data: Sequences, offsets: NDArray[np.int64]) -> tuple[Sequences, Sequences]:
    """The windows of the earlier half of each series' forecasts, and of the later; `offsets` are those of the series.

    The first forecasts of the later half, whose futures overlap those of the earlier one, are in neither; of a series
    too short for that, the last forecast alone is in the later half. Of an odd number, the middle one is in the earlier
    half of one series, and in the later half of the next. Windows that have other targets, too, stay in the first part
    without their forecast.
    """
    assert data.bounds is not None and data.frame is not None
    kept = np.arange(len(data)) if data.forecasts is None else np.flatnonzero(data.forecasts)
    origin = data.bounds[kept, 1]
    series = np.unique(np.searchsorted(offsets, origin - 1, side="right"), return_inverse=True)[1]
    count = np.bincount(series)
    before = np.cumsum(count) - count
    place = np.arange(len(kept)) - before[series]
    half = (count + 1 - np.arange(len(count)) % 2) // 2
    last = origin[before + half - 1]        # of the earlier half
    later = (place >= half[series]) & ((origin >= last[series] + data.frame.forecast.horizon) |
                                       (place == count[series] - 1))
    first = np.ones(len(data), bool)
    first[kept[place >= half[series]]] = False
    if data.forecasts is None:
        return data.only(np.flatnonzero(first)), data.only(kept[later])
    return replace(data, forecasts=data.forecasts & first), data.only(kept[later])
