"""What all pictures share: colours, plain axes, and files whose bytes follow from their numbers alone."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from unroll.base.files import replacing

BLUE, ORANGE, GREEN, RED, GREY = "#2463a6", "#d9730d", "#2d7d46", "#b3261e", "#8a8f98"


def plot(height: float = 3.8) -> tuple[Figure, Any]:
    """A figure 7 inches wide with one set of axes; matplotlib does not type what axes accept."""
    figure = Figure(figsize=(7, height), layout="constrained")
    return figure, plain(figure.add_subplot())


def plain(axes: Any) -> Any:
    """The same axes with two spines and a light grid behind the data."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="both", color="#e6e8eb", lw=0.6)
    axes.set_axisbelow(True)
    return axes


def mark_steps(axes: Any, times: NDArray[Any] | None, ticks: int) -> None:
    """Ticks of the axis of steps: dates, or whole numbers where steps are counted (None) or times are whole numbers."""
    if times is not None and times.dtype.kind == "M":
        places = AutoDateLocator(minticks=3, maxticks=ticks)                # type: ignore[no-untyped-call]
        axes.xaxis.set_major_locator(places)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(places))        # type: ignore[no-untyped-call]
    else:
        axes.xaxis.set_major_locator(MaxNLocator(ticks, integer=times is None or bool((times == np.rint(times)).all())))
        axes.ticklabel_format(axis="x", useOffset=False)


def label_ends(axes: Any, ends: Mapping[str, tuple[float, str]]) -> None:
    """Words beside where curves end on the right, by name with their colour, moved apart where they would overlap."""
    low, high = axes.get_ylim()
    apart = (high - low) * 0.105
    names = sorted(ends, key=lambda name: ends[name][0])
    places: list[float] = []
    for name in names:
        places.append(max(float(ends[name][0]), places[-1] + apart if places else -np.inf))
    up = sum(places) / len(places) - sum(float(end) for end, _ in ends.values()) / len(ends)
    up = max(up, places[-1] - high)
    for name, place in zip(names, places, strict=True):
        axes.annotate(name, (1.01, place - up), xycoords=("axes fraction", "data"), color=ends[name][1], fontsize=8,
                      va="center", annotation_clip=False)


def save(figure: Figure, path: Path) -> None:
    """Write a PNG without the name and version of matplotlib, which would change its bytes."""
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=110, metadata={"Software": None})
