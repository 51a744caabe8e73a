"""Forecasts with intervals, as fans behind the series that they continue."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from unroll.drawing.style import BLUE, GREY, label_ends, mark_steps, plain, save

Values = NDArray[Any]
WIDE, NARROW = "#d3e1f1", "#92b5dc"     # the outermost and the innermost interval; far apart in grey, too
VARIABLES = 6       # rows of small charts that can still be read


class Fan(NamedTuple):
    history: Values                     # (N,)
    actual: Values                      # (H,), or empty where it is unknown
    quantiles: NDArray[np.float64]      # (H, levels)
    title: str = ""
    variable: str = ""
    times: Values | None = None         # (N + H,) numpy.datetime64 or numbers; None: steps are counted from the origin


def forecasts(rows: Sequence[Sequence[Fan]], levels: NDArray[np.float64], title: str, path: Path,
              clock: str = "") -> None:
    save(forecast_figure(rows, levels, title, clock), path)


def forecast_figure(rows: Sequence[Sequence[Fan]], levels: NDArray[np.float64], title: str, clock: str = "") -> Figure:
    """A row of charts for each variable, or one below the other: history, median, two intervals, what came.

    `clock` is what times are called.
    """
    height, columns = (2.6 if len(rows) < 4 else 1.9) * len(rows) + 0.3, len(rows[0])
    figure = Figure(figsize=(7 if columns == 1 else 10, max(height, 2.8)), layout="constrained")
    charts = figure.subplots(len(rows), columns, squeeze=False)
    # charts that stand below each other share an axis: that of steps, or of the same origin
    shared = columns > 1 or rows[0][0].times is None
    for at, (row, fans) in enumerate(zip(charts, rows, strict=True)):
        for axes, fan in zip(row, fans, strict=True):
            _draw(axes, fan, levels)
            axes.set_title(fan.title if at == 0 or columns == 1 else "", loc="left", fontsize=9)
            mark_steps(axes, fan.times, 5 if columns > 1 else 9)
            axes.tick_params(labelbottom=at == len(rows) - 1 or not shared)
        row[0].set_ylabel(fans[0].variable)
    for axes, fan in zip(charts[-1], rows[-1], strict=True):
        axes.set_xlabel("steps from the origin" if fan.times is None else clock)
    _label(charts[0, -1], rows[0][-1], levels)
    figure.suptitle(title, x=0.01, ha="left", fontsize=11)
    return figure


def _draw(axes: Any, fan: Fan, levels: NDArray[np.float64]) -> None:
    before, steps = len(fan.history), len(fan.quantiles)
    places = np.arange(1 - before, max(steps, len(fan.actual)) + 1) if fan.times is None else fan.times
    past, came = places[:before], places[before : before + len(fan.actual)]
    ahead = places[before : before + steps]
    for low, colour in _pairs(levels):
        axes.fill_between(ahead, fan.quantiles[:, low], fan.quantiles[:, -1 - low], color=colour, lw=0)
        if steps == 1:      # an area of one step has no width
            axes.vlines(ahead, fan.quantiles[:, low], fan.quantiles[:, -1 - low], color=colour, lw=8)
    axes.plot(past, fan.history, color="black", lw=1.2, label="history")
    axes.plot(ahead, fan.quantiles[:, _median(levels)], color=BLUE, lw=1.8, marker="" if steps > 1 else "_",
              label="median")
    if len(fan.actual):
        axes.plot(came, fan.actual, color="black", lw=1.0, ls=":", marker=".", ms=3, label="actual")
    axes.axvline(past[-1] + (ahead[0] - past[-1]) / 2, color=GREY, lw=0.8)
    plain(axes).set_axisbelow("line")       # the grid above the intervals, below the lines


def _label(axes: Any, fan: Fan, levels: NDArray[np.float64]) -> None:
    ends = {f"{levels[-1 - low] - levels[low]:.0%} interval": (fan.quantiles[-1, -1 - low], "#5b83b0")
            for low, _ in _pairs(levels)}
    ends["median"] = fan.quantiles[-1, _median(levels)], BLUE
    known = np.flatnonzero(~np.isnan(np.asarray(fan.actual, np.float64)))
    if len(known):
        ends["actual"] = fan.actual[known[-1]], "black"
    label_ends(axes, ends)


def _pairs(levels: NDArray[np.float64]) -> list[tuple[int, str]]:
    """The lower ends of the outermost and the innermost interval, and their colours."""
    innermost = len(levels) // 2 - 1
    return [(0, WIDE), (innermost, NARROW)] if innermost > 0 else [(0, WIDE)]


def _median(levels: NDArray[np.float64]) -> int:
    return int(np.abs(levels - 0.5).argmin())
