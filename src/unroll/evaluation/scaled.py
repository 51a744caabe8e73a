"""Errors in units of each series' deviation in training, as tables of several series have them."""

import numpy as np
from numpy.typing import NDArray

from unroll.data.encoders import Moments
from unroll.data.npy import stretch_of
from unroll.data.store import Prepared
from unroll.evaluation.report import Metrics

Values = NDArray[np.float64]


def deviation(prepared: Prepared, name: str) -> Values:
    """(D,) of each variable in the training split; NaN of one that is constant."""
    moments, values = Moments(), prepared.values(name, "train")
    step = stretch_of(values.shape[1])
    for first in range(0, len(values), step):
        moments.add(prepared.raw(name, "train", first, first + step))
    return np.where(moments.deviation > 0, moments.deviation, np.nan)


class Scaled:
    """The mean squared and the mean absolute error of values (N, H, D) that are divided by their `unit` (D,)."""

    def __init__(self, unit: Values) -> None:
        self._unit, self._squares, self._sizes, self._count = unit, 0.0, 0.0, 0

    def add(self, point: Values, truth: Values) -> None:
        error = (truth - point) / self._unit
        self._squares += float(np.nansum(error**2))
        self._sizes += float(np.nansum(np.abs(error)))
        self._count += int((~np.isnan(error)).sum())

    def named(self, prefix: str) -> Metrics:
        """Nothing where no variable has a unit."""
        return {f"{prefix}scaled_mse": self._squares / self._count, f"{prefix}scaled_mae": self._sizes / self._count} \
            if self._count else {}
