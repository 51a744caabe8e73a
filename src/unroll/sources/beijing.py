"""PM2.5 and weather in Beijing, hour by hour from 2010 to 2014 (Liang et al., 2015), in windows around origins.

Of the 43,824 hours 2,067 have no PM2.5, in runs of up to 155 hours. More can be hidden from what is read, in runs whose
lengths are drawn from those of the holes, so that what is predicted is scored on the same values whatever was read.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from unroll.config.sources.beijing import Settings
from unroll.data.source import SPLITS, Piece, Source
from unroll.sources.common.access import Access
from unroll.sources.common.memory import Items, Lazy
from unroll.sources.common.splits import cut

Values = NDArray[np.float64]
PM = "pm2.5"
WEATHER = ["DEWP", "TEMP", "PRES", "Iws", "Is", "Ir"]   # dew point, temperature, pressure, wind; hours of snow and rain


def open_source(settings: Settings, access: Access) -> tuple[Source, str, str]:
    """The splits follow one another in time; no hour is predicted in two of them."""
    (field,), (target,) = settings.inputs, settings.targets
    table = pd.read_csv(access.fetch(settings.url, settings.sha256))
    pm = table[PM].to_numpy(np.float64)
    read = np.array(table[[PM, *WEATHER] if settings.weather else [PM]], np.float64)
    read[:, 0] = hide(pm, settings.hidden, settings.seed)
    context, horizon = settings.context, settings.horizon
    splits: dict[str, NDArray[np.int64]] = {}
    origins: list[int] = []
    for split in SPLITS:
        first, last = cut(len(pm), settings.validation, settings.test)[split]
        own = [origin for origin in range(max(first, context), last - horizon + 1, settings.stride)
               if not np.isnan(pm[origin : origin + horizon]).all()]
        splits[split] = np.arange(len(origins), len(origins) + len(own))
        origins += own

    def piece(at: int) -> Piece:
        origin = origins[at]
        return {field: read[origin - context : origin], target: pm[origin : origin + horizon]}

    source = Items(Lazy(len(origins), piece), splits)
    source.columns = {field: [PM, *WEATHER] if settings.weather else [PM]}
    return source, settings.url, settings.licence


def hide(values: Values, share: float, seed: int) -> Values:
    """(N,) with this share of the known values NaN, in runs; the lengths of runs are drawn from those of the holes."""
    hidden, known = values.copy(), ~np.isnan(values)
    lengths = runs(~known)
    draw = np.random.Generator(np.random.Philox([seed % 2**64]))
    left = round(share * int(known.sum()))
    while left > 0:
        length, start = draw.choice(lengths), draw.integers(len(values))
        # the last run is cut, so that the share is exact
        own = (start + np.flatnonzero(~np.isnan(hidden[start : start + length])))[:left]
        hidden[own] = np.nan
        left -= len(own)
    return hidden


def runs(unknown: NDArray[np.bool_]) -> NDArray[np.int64]:
    """How long each run of true values is."""
    edges = np.flatnonzero(np.diff(unknown.astype(np.int8), prepend=0, append=0))
    return np.asarray(edges[1::2] - edges[::2])
