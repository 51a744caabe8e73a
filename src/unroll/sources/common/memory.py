"""Sources whose sequences are in memory: items, one stream, series to be forecast."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from unroll.base.errors import UserError
from unroll.config.data import ForecastConfig
from unroll.data.source import LayoutName, Piece, Place, Source, Split
from unroll.sources.common.splits import cut

GAPS = "Missing and infinite values are not supported yet, a later version will; fill them, or leave the sequence out."


class Items(Source):
    """Sequences in memory, and which of them are in which split."""

    layout: LayoutName = "items"

    def __init__(self, pieces: Sequence[Piece], splits: Mapping[str, Any], names: Sequence[str] = (),
                 columns: Mapping[str, Sequence[str]] | None = None) -> None:
        self._pieces, self._splits, self._names = pieces, splits, names
        self.columns = columns or {}

    def pieces(self, split: Split) -> Iterator[Piece]:
        return (self._pieces[index] for index in self._splits[split])

    def places(self, split: Split) -> Sequence[Place]:
        return [Place(self._names[index]) for index in self._splits[split]] if self._names else ()


class OneStream(Source):
    """One long sequence in memory, its splits one after another."""

    layout: LayoutName = "stream"

    def __init__(self, fields: Piece, bounds: Mapping[str, tuple[int, int]]) -> None:
        self._fields, self._bounds = fields, bounds

    def pieces(self, split: Split) -> Iterator[Piece]:
        first, last = self._bounds[split]
        yield {name: values[first:last] for name, values in self._fields.items()}

    def places(self, split: Split) -> Sequence[Place]:
        return [Place("1", self._bounds[split][0])]


class Series(Source):
    """One or several series to be forecast, each cut in time; a later split begins with what its windows read.

    Raises `UserError` when a split of a series is too short for a forecast.
    """

    layout: LayoutName = "windows"

    def __init__(self, field: str, series: Sequence[Any], names: Sequence[str], forecast: ForecastConfig,
                 validation: float, test: float) -> None:
        self._field, self._series, self._names = field, series, names
        self._before = forecast.context + forecast.season
        self._cuts = [cut(len(values), validation, test) for values in series]
        for values, bounds, name in zip(series, self._cuts, names, strict=True):
            least = {"train": self._before + forecast.horizon, "validation": forecast.horizon, "test": forecast.horizon}
            for split, (first, last) in bounds.items():
                if last - first < least[split]:
                    owner = "the series" if len(series) == 1 else f"series {name!r}"
                    raise UserError("too-short", "data.forecast", (
                        f"the {split} split of {owner} has {last - first} of {len(values)} steps where a "
                        f"forecast of {forecast.horizon} needs {least[split]}. Give a longer series, a larger share, "
                        "or a shorter horizon, context or season."))

    def pieces(self, split: Split) -> Iterator[Piece]:
        for values, bounds in zip(self._series, self._cuts, strict=True):
            yield {self._field: values[self._first(split, bounds) : bounds[split][1]]}

    def places(self, split: Split) -> Sequence[Place]:
        return [Place(name, self._first(split, bounds)) for name, bounds in zip(self._names, self._cuts, strict=True)]

    def _first(self, split: Split, bounds: Mapping[str, tuple[int, int]]) -> int:
        """The first step that a window reads whose forecast is of the split."""
        return 0 if split == "train" else max(0, bounds[split][0] - self._before)
