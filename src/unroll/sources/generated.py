"""Sequences made on the spot, the same ones for the same settings."""

import math

import numpy as np
from numpy.typing import NDArray

from unroll.config.data import MackeyGlassData, SignalsData
from unroll.data.source import Source
from unroll.sources.in_memory import OneStream
from unroll.sources.splits import cut


def open_generated(config: SignalsData | MackeyGlassData) -> Source:
    if isinstance(config, MackeyGlassData):
        (field,) = config.inputs
        fields = {field: mackey_glass(config.tau, config.interval, config.steps, config.seed)}
    else:
        (field,), (tag,) = config.inputs, config.targets
        signal, laws = signals(config.size, config.laws, config.steps, config.dwell, config.noise, config.seed)
        fields = {field: signal, tag: np.array([f"law {law + 1}" for law in range(config.laws)])[laws]}
    return OneStream(fields, cut(config.steps, config.validation, config.test))


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


def signals(
    size: int, laws: int, steps: int, dwell: int, noise: float, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """(steps, size) of an oscillation whose speed is the law's, seen through one random mixture, and (steps,) its law.

    One number at one moment says nothing of the speed: only a memory of what went before can tell the laws apart.
    """
    draw = np.random.Generator(np.random.Philox([seed]))
    changes = draw.random(steps) < 1 / dwell
    changes[0] = True
    chosen = draw.integers(laws, size=steps)
    law = chosen[np.maximum.accumulate(np.where(changes, np.arange(steps), 0))]
    speeds = 0.15 * 1.6 ** np.arange(laws)                          # radians a step
    phase = np.cumsum(speeds[law]) + draw.uniform(0, 2 * np.pi)
    state = np.stack([np.sin(phase), np.cos(phase)], axis=1)        # (steps, 2)
    mixture = draw.standard_normal((2, size))
    return state @ mixture + noise * draw.standard_normal((steps, size)), law
