"""The times of the steps of a series, for an axis."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.readers.common.frequency import Frequency


def times_from(alias: str, first: str, steps: Iterable[int]) -> NDArray[Any]:
    """The times of steps that are counted from 0 at the time `first`: numpy.datetime64, or numbers."""
    frequency = Frequency(alias)
    start = float(first) if frequency.number else np.datetime64(first, "ns")
    return np.array([frequency.after(start, step) for step in steps])
