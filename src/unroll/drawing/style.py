"""What all pictures share: colours, plain axes, and files whose bytes follow from their numbers alone."""

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

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


def save(figure: Figure, path: Path) -> None:
    """Write a PNG without the name and version of matplotlib, which would change its bytes."""
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=110, metadata={"Software": None})
