"""Generated oscillations whose law of motion changes, the same for the same settings."""

import numpy as np
from numpy.typing import NDArray

from unroll.config.sources.signals import Settings
from unroll.data.source import Source
from unroll.sources.common.access import Access
from unroll.sources.common.memory import OneStream
from unroll.sources.common.splits import cut


def open_source(settings: Settings, access: Access) -> tuple[Source, str, str]:
    (field,), (tag,) = settings.inputs, settings.targets
    signal, laws = signals(settings.size, settings.laws, settings.steps, settings.dwell, settings.noise, settings.seed)
    names = np.array([f"law {law + 1}" for law in range(settings.laws)])
    stream = OneStream({field: signal, tag: names[laws]}, cut(settings.steps, settings.validation, settings.test))
    return stream, "generated: signals", "none: generated"


def signals(
    size: int, laws: int, steps: int, dwell: int, noise: float, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """(steps, size) of an oscillation whose speed is the law's, seen through one random mixture, and (steps,) its law.

    One number at one moment says nothing of the speed: only a memory of what went before can tell the laws apart.
    """
    draw = np.random.Generator(np.random.Philox([seed]))
    changes = draw.random(steps) < 1 / dwell
    changes[0] = True
    drawn = draw.integers(laws, size=steps)
    law = drawn[np.maximum.accumulate(np.where(changes, np.arange(steps), 0))]
    speeds = 0.15 * 1.6 ** np.arange(laws)                          # radians per step
    phase = np.cumsum(speeds[law]) + draw.uniform(0, 2 * np.pi)
    state = np.stack([np.sin(phase), np.cos(phase)], axis=1)        # (steps, 2)
    mixture = draw.standard_normal((2, size))
    return state @ mixture + noise * draw.standard_normal((steps, size)), law
