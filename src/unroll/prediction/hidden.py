"""How well missing values are filled in, from known ones that are hidden."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unroll.data.missing import interpolated

Values = NDArray[np.float64]
HIDDEN = 0.1                # of the known values
MOST = 2000                 # values at most


class Score(NamedTuple):
    """Mean absolute errors are in deviations of each number."""

    values: int
    error: float
    interpolation: float
    coverage: float


def hide(values: Sequence[Values], lengths: NDArray[np.int64], before: int, draw: np.random.Generator
         ) -> list[Values] | None:
    """The same series (T, D) with a tenth of what is known NaN, in runs of one number of these lengths.

    None where nothing can be hidden. The first steps, `before` of each, stay.
    """
    hidden = [each.copy() for each in values]
    room = np.array([max(0, len(each) - before - 1) for each in values])
    left = min(MOST, int(HIDDEN * sum((~np.isnan(each[before:])).sum() for each in values)))
    if not left or not room.any():
        return None
    for _ in range(20 * MOST):
        at = int(draw.choice(len(values), p=room / room.sum()))
        start, number = before + int(draw.integers(room[at])), int(draw.integers(values[at].shape[1]))
        run = hidden[at][start : start + int(draw.choice(lengths)), number]
        left -= int((~np.isnan(run)).sum())
        run[:] = np.nan
        if left <= 0:
            break
    return hidden


def error(values: Sequence[Values], hidden: Sequence[Values], points: Sequence[Values]) -> float:
    """Mean absolute error of points (T, D), NaN where there is none, for what was hidden; NaN without any."""
    deviation = np.nanstd(np.concatenate(list(values)), axis=0)
    off = [(np.abs(own - each) / np.where(deviation > 0, deviation, 1))[tested(each, part, own)]
           for each, part, own in zip(values, hidden, points, strict=True)]
    joined = np.concatenate(off)
    return float(joined.mean()) if len(joined) else np.nan


def score(values: Sequence[Values], hidden: Sequence[Values], quantiles: Sequence[Values], median: int) -> Score | None:
    """Errors of quantiles (T, D, levels) and of linear interpolation; None where no value was hidden."""
    points = [each[..., median] for each in quantiles]
    lines = [np.where(np.isnan(own), np.nan, interpolated(part, np.zeros(part.shape[1])))
             for part, own in zip(hidden, points, strict=True)]
    there = [tested(each, part, own) for each, part, own in zip(values, hidden, points, strict=True)]
    count = sum(int(each.sum()) for each in there)
    if not count:
        return None
    inside = sum(int(((own[..., 0] <= each) & (each <= own[..., -1]))[those].sum())
                 for each, own, those in zip(values, quantiles, there, strict=True))
    return Score(count, error(values, hidden, points), error(values, hidden, lines), inside / count)


def tested(values: Values, hidden: Values, points: Values) -> NDArray[np.bool_]:
    """What was hidden and has a point."""
    return np.asarray(~np.isnan(values) & np.isnan(hidden) & ~np.isnan(points))
