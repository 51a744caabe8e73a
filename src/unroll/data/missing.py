"""Numbers of an input that are not known: who fills them, and with what.

They are NaN in a source and in a batch. `mean` and `interpolate` fill them before the network reads them; `forward`
and `mask` leave them to the network, whose state has the last value, so that chunks, steps and whole sequences agree.
The windows of a forecast are always filled before they are read; with `mask` the network also reads which values were.
"""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Missing = Literal[
    "mask",             # the network reads the last value, whether there is one now, and how long ago it was
    "forward",          # the last value; the mean of training before the first
    "mean",             # the mean of training
    "interpolate",      # a line between the neighbours in the sequence; its first or last value outside of them
]
Reals = NDArray[np.floating[Any]]


def reaches(missing: Missing | None, per: str) -> bool:
    """Whether NaN of such an input reaches the network; before the first step and beside the steps nothing goes on."""
    return missing == "mask" or (missing == "forward" and per == "step")


def interpolated(rows: Reals, otherwise: Reals) -> Reals:
    """(T, F) with straight lines over NaN; a number that no row has is `otherwise` (F,)."""
    filled = np.array(rows, np.float64)
    steps = np.arange(len(rows))
    for column, known in zip(filled.T, ~np.isnan(filled).T, strict=True):
        if known.any():
            column[~known] = np.interp(steps[~known], steps[known], column[known])
    return np.where(np.isnan(filled), otherwise, filled)


def filled_window(window: Reals, missing: Missing, season: int) -> Reals:
    """(rows, B, D) of series without NaN, as far as anything of a series is known in its window; else 0.

    Nothing after the window is used, so that no forecast sees its future. With `mask` a value is that of a season
    before, else the last one.
    """
    rows = window.reshape(len(window), -1)
    if missing == "interpolate":
        return interpolated(rows, np.zeros(rows.shape[1])).reshape(window.shape)
    if missing == "mean":
        count = (~np.isnan(rows)).sum(axis=0).clip(1)
        return np.where(np.isnan(rows), np.nansum(rows, axis=0) / count, rows).reshape(window.shape)
    if missing == "mask":
        rows = rows.copy()
        for step in range(season, len(rows)):
            rows[step] = np.where(np.isnan(rows[step]), rows[step - season], rows[step])
    return held(rows).reshape(window.shape)


def held(rows: Reals) -> Reals:
    """(T, F) with the last known value, before it the first, or 0 where there is none."""
    known = ~np.isnan(rows)
    first = np.where(known.any(axis=0), known.argmax(axis=0), 0)
    last = np.maximum.accumulate(np.where(known, np.arange(len(rows))[:, None], first), axis=0)
    return np.nan_to_num(np.take_along_axis(rows, last, axis=0))
