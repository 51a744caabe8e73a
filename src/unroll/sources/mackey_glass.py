"""A generated series that is chaotic, the same for the same settings (Mackey & Glass, 1977)."""

import math

import numpy as np
from numpy.typing import NDArray

from unroll.config.sources.mackey_glass import Settings
from unroll.data.source import Source
from unroll.sources.common.access import Access
from unroll.sources.common.memory import OneStream
from unroll.sources.common.splits import cut


def open_source(settings: Settings, access: Access) -> tuple[Source, str, str]:
    (field,) = settings.inputs
    series = mackey_glass(settings.tau, settings.interval, settings.steps, settings.seed)
    stream = OneStream({field: series}, cut(settings.steps, settings.validation, settings.test))
    return stream, "generated: mackey_glass", "none: generated"


def mackey_glass(tau: float, interval: float, steps: int, seed: int) -> NDArray[np.float64]:
    """(steps, 1) of dx/dt = 0.2·x(t - tau) / (1 + x(t - tau)^10) - 0.1·x(t), by Runge-Kutta of order 4.

    The delayed value is interpolated linearly between grid points, 10 to the time unit; what a start at random values
    leaves behind, 500 time units, is dropped.
    """
    grid = 10
    delay = tau * grid
    whole, part = int(delay), delay - int(delay)
    warm = 500 * grid
    total = warm + math.ceil((steps - 1) * interval * grid) + 1
    x = np.empty(whole + 2 + total)
    x[: whole + 2] = 1.2 + 0.2 * np.random.Generator(np.random.Philox([seed])).standard_normal(whole + 2).cumsum() / 50
    h = 1 / grid

    def slope(now: float, before: float) -> float:
        return 0.2 * before / (1 + before**10) - 0.1 * now

    for at in range(whole + 1, whole + 1 + total):
        first = x[at - whole] * (1 - part) + x[at - whole - 1] * part
        last = x[at - whole + 1] * (1 - part) + x[at - whole] * part
        middle = (first + last) / 2
        a = slope(x[at], first)
        b = slope(x[at] + h / 2 * a, middle)
        c = slope(x[at] + h / 2 * b, middle)
        d = slope(x[at] + h * c, last)
        x[at + 1] = x[at] + h / 6 * (a + 2 * b + 2 * c + d)
    places = whole + 2 + warm + np.arange(steps) * interval * grid - 1
    return np.asarray(np.interp(places, np.arange(len(x)), x)[:, None])
