"""Sources whose sequences are in memory: items, one stream, series to be forecast."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from unroll.base.errors import UserError
from unroll.config.data import ForecastConfig
from unroll.data.source import Layout, Piece, Place, Source, Split
from unroll.sources.splits import cut

GAPS = "Missing and infinite values are not supported yet, a later version will; fill them, or leave the sequence out."
WHOLE = "the table"     # what a series without a name is called in messages; in predictions it is 1


class Items(Source):
    """Sequences in memory, and which of them are in which split."""

    layout: Layout = "items"

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

    layout: Layout = "stream"

    def __init__(self, fields: Piece, bounds: Mapping[str, tuple[int, int]]) -> None:
        self._fields, self._bounds = fields, bounds

    def pieces(self, split: Split) -> Iterator[Piece]:
        first, last = self._bounds[split]
        yield {name: values[first:last] for name, values in self._fields.items()}

    def places(self, split: Split) -> Sequence[Place]:
        return [Place("1", self._bounds[split][0])]


class Series(Source):
    """One or several series to be forecast, each cut in time; a later split begins with what its windows read."""

    layout: Layout = "windows"

    def __init__(self, field: str, series: Sequence[Any], names: Sequence[str], forecast: ForecastConfig,
                 validation: float, test: float) -> None:
        self._field, self._series = field, series
        self._names = names if [*names] != [WHOLE] else ["1"]
        self._before = forecast.context + forecast.season
        self._cuts = [cut(len(each), validation, test) for each in series]
        for each, bounds, name in zip(series, self._cuts, names, strict=True):
            least = {"train": self._before + forecast.horizon, "validation": forecast.horizon, "test": forecast.horizon}
            for split, (first, last) in bounds.items():
                if last - first < least[split]:
                    raise UserError(
                        f"data.forecast: the {split} split of {name} has {last - first} of {len(each)} steps where a "
                        f"forecast of {forecast.horizon} needs {least[split]}. Give a longer series, a larger share, "
                        "or a shorter horizon, context or season."
                    )

    def pieces(self, split: Split) -> Iterator[Piece]:
        for each, bounds in zip(self._series, self._cuts, strict=True):
            yield {self._field: each[self._first(split, bounds) : bounds[split][1]]}

    def places(self, split: Split) -> Sequence[Place]:
        return [Place(name, self._first(split, bounds)) for name, bounds in zip(self._names, self._cuts, strict=True)]

    def _first(self, split: Split, bounds: Mapping[str, tuple[int, int]]) -> int:
        """The first step that a window reads whose forecast is of the split."""
        return 0 if split == "train" else max(0, bounds[split][0] - self._before)
