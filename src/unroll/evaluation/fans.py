"""Forecasts of a few origins of the test split as pictures, and the shares that intervals hold as a table."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.base.files import write_rows
from unroll.data.fields import Sequences
from unroll.data.store import Prepared
from unroll.data.windows import stretches
from unroll.drawing import forecasts as pictures
from unroll.drawing.forecasts import VARIABLES, Fan
from unroll.evaluation.forecasts import asked
from unroll.evaluation.tallies import Held
from unroll.evaluation.walk import Part
from unroll.readers.common.axis import times_from

Values = NDArray[np.float64]


class Shown:
    """The forecasts from the first, a middle and the last origin."""

    def __init__(self, count: int) -> None:
        self.titles = {0: "first origin", count // 2: "an origin in the middle", count - 1: "last origin"}
        self.quantiles: dict[int, Values] = {}      # (H, D, levels)

    def keep(self, part: Part) -> None:
        for at in self.titles:
            if part.first <= at < part.first + len(part.truth):
                self.quantiles[at] = part.quantiles[at - part.first].copy()


def draw_forecasts(prepared: Prepared, data: Sequences, name: str, shown: Shown, inside: Held, levels: Values,
          folder: Path) -> None:
    """The origins that are shown, of one variable below each other, of several beside each other."""
    target = prepared.spec.targets[name]
    columns = target.names or ([name] if target.size == 1 else [f"{name} {at + 1}" for at in range(target.size)])
    origins = sorted(shown.titles)
    window, future = stretches(data.only(np.array(origins)), name)
    window = window[-max(3 * len(future), 24) :]
    times = [_times(prepared, data, at, len(window), len(future)) for at in origins]
    rows = [[Fan(window[:, place, column], future[:, place, column], shown.quantiles[at][:, column], shown.titles[at],
                 variable, times[place]) for place, at in enumerate(origins)]
            for column, variable in enumerate(columns[:VARIABLES])]
    if len(rows) == 1:
        rows = [[fan] for fan in rows[0]]
    of = f", the first {len(rows)} of {len(columns)} variables" if len(columns) > VARIABLES else ""
    pictures.forecasts(rows, levels, f"Forecasts of the test split{of}", folder / "fan.png",
                       prepared.spec.reading.time or "")
    write_rows(folder / "coverage.csv", inside.by_step(asked(levels)))


def _times(prepared: Prepared, data: Sequences, window: int, before: int, after: int) -> NDArray[Any] | None:
    """The times of the last steps of a window of the test split, and of those after it; None where none are known."""
    offsets, alias = prepared.offsets("test"), prepared.spec.reading.frequency
    assert offsets is not None and data.bounds is not None
    end = int(data.bounds[window, 1])
    piece = int(np.searchsorted(offsets, end, side="right")) - 1
    first = prepared.places("test")[piece].time
    own = end - int(offsets[piece])
    return times_from(alias, first, range(own - before, own + after)) if alias and first else None
