"""Car parks in Birmingham (Stolfi et al., 2017), half-hourly but for stamps that are late, missing or doubled."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from unroll.base.errors import UserError, nearest
from unroll.config.sources.parking import Settings
from unroll.data.source import SPLITS, Piece, Source
from unroll.readers.common.timeline import elapsed
from unroll.sources.common.access import Access
from unroll.sources.common.memory import Items, Lazy
from unroll.sources.common.splits import cut

HOUR, MINUTE = 3600, 60
WHOLE = ("hour", "weekend", "ahead")
SHORT = 0.5         # of the stamps that most have


def open_source(settings: Settings, access: Access) -> tuple[Source, str, str]:
    """Windows that end at each stamp of a day after which enough others come; days are cut in time."""
    for name, columns in settings.columns.items():
        for column in columns:
            known = ("occupancy",) if name in settings.step_inputs or name in settings.targets else WHOLE
            if column not in known:
                raise UserError("unknown-name", f"data.columns.{name}", f"no column {column!r}; "
                                f"{nearest(column, known)}")
    table = pd.read_csv(access.fetch(settings.url, settings.sha256), parse_dates=[settings.time])
    table = table.sort_values(["SystemCodeNumber", settings.time], kind="stable")
    single = table.drop_duplicates(["SystemCodeNumber", settings.time], keep="last")
    parks = _Parks(settings, single)
    source = Items(Lazy(len(parks.origins), parks.piece), parks.splits())
    source.columns = {name: settings.columns[name] for name in settings.inputs if name in settings.columns
                      and "ahead" not in settings.columns[name]}
    source.notes = [*_notes(table, single)]
    return source, settings.url, settings.licence


def _notes(table: pd.DataFrame, single: pd.DataFrame) -> Iterator[str]:
    yield f"{len(table) - len(single):,} stamps came twice; of these the last one counts"
    below, above = (single["Occupancy"] < 0).sum(), (single["Occupancy"] > single["Capacity"]).sum()
    yield f"{below:,} occupancies are negative and {above:,} above the capacity; they stay"
    stamps = single.groupby("SystemCodeNumber").size()
    short = stamps[stamps < SHORT * stamps.median()]
    yield "short: " + ", ".join(f"{name} has {count:,} stamps" for name, count in short.items())


class _Parks:
    """All stamps, those of a car park after one another; `origins` are the last ones of the windows."""

    def __init__(self, settings: Settings, table: pd.DataFrame) -> None:
        self._settings = settings
        self._share = (table["Occupancy"] / table["Capacity"]).to_numpy(np.float64)
        self._times = table[settings.time].astype("datetime64[s]").astype(np.int64).to_numpy()
        self._day = self._times // (24 * HOUR)
        park = pd.factorize(table["SystemCodeNumber"])[0]
        self._first = np.searchsorted(park, park)       # of its car park
        draw = np.random.Generator(np.random.Philox([settings.seed % 2**64]))
        self._read = draw.random(len(table)) >= settings.removed
        last = np.arange(len(table)) + settings.horizon
        ends = last < len(table)
        last = last.clip(max=len(table) - 1)
        later = ends & (park[last] == park) & (self._day[last] == self._day)
        self.origins = np.array([row for row in np.flatnonzero(later) if self._rows(row).any()], np.int64)

    def _rows(self, origin: int) -> NDArray[np.bool_]:
        """Which of the stamps up to the origin are read."""
        return self._read[max(self._first[origin], origin - self._settings.context + 1) : origin + 1]

    def splits(self) -> dict[str, NDArray[np.int64]]:
        """Origins of each split, whose days follow one another."""
        days = np.unique(self._day)
        bounds = cut(len(days), self._settings.validation, self._settings.test)
        place = np.searchsorted(days, self._day[self.origins])
        return {split: np.flatnonzero((place >= bounds[split][0]) & (place < bounds[split][1])) for split in SPLITS}

    def piece(self, at: int) -> Piece:
        settings, origin = self._settings, int(self.origins[at])
        read = self._rows(origin)
        rows = origin + 1 - len(read) + np.flatnonzero(read)
        times, values = self._times[rows], self._share[rows]
        gaps = elapsed(times, None)
        ahead = (self._times[origin + 1 : origin + 1 + settings.horizon] - times[-1]) / HOUR
        if settings.bin is not None:
            values = _binned(times, values, int(self._times[origin]), settings.bin * MINUTE)
        day = self._times[origin] / (24 * HOUR)
        facts = {"hour": [day % 1 * 24], "weekend": [float((int(day) + 3) % 7 >= 5)], "ahead": ahead.tolist()}
        piece: Piece = {name: self._share[origin + 1 : origin + 1 + settings.horizon] for name in settings.targets}
        for name, kind in settings.inputs.items():
            if kind == "gap":
                piece[name] = gaps
            elif name in settings.step_inputs:
                piece[name] = values[:, None]
            else:
                piece[name] = np.array([number for column in settings.columns[name] for number in facts[column]])
        return piece


def _binned(times: NDArray[np.int64], values: NDArray[np.float64], end: int, width: int) -> NDArray[np.float64]:
    """The mean of each bin from the first one with a stamp to that of the end, NaN where there is none."""
    bins = times // width - times[0] // width
    count = end // width - times[0] // width + 1
    stamps = np.bincount(bins, minlength=count)
    return np.where(stamps > 0, np.bincount(bins, values, count) / stamps.clip(1), np.nan)
