"""Every picture. The same numbers give the same bytes."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from unroll.files import replacing

Row = Mapping[str, float]
BLUE, ORANGE, GREEN, RED, GREY = "#2463a6", "#d9730d", "#2d7d46", "#b3261e", "#8a8f98"


def curves(train: Sequence[Row], validation: Sequence[Row], bits: float, unit: str, path: Path) -> None:
    """Training and validation loss over optimiser steps; `bits` turns nats a symbol into bits a `unit`."""
    figure, axes = _figure()
    axes.plot([row["step"] for row in train], [row["loss"] * bits for row in train], color=BLUE, lw=1.2,
              label="training (mean of an interval)")
    axes.plot([row["step"] for row in validation], [row["loss"] * bits for row in validation], color=ORANGE, lw=1.8,
              marker="o", ms=4, label="validation")
    best = min(validation, key=lambda row: row["loss"])
    axes.annotate(f"best {best['loss'] * bits:.3f}", (best["step"], best["loss"] * bits), (0, 14),
                  textcoords="offset points", ha="center", color=ORANGE)
    axes.set(xlabel="optimiser step", ylabel=f"bits per {unit}", title="What training came to")
    axes.legend(frameon=False)
    _save(figure, path)


def bars(values: Mapping[str, float], ours: str, path: Path) -> None:
    """Bits per character on the test split, the model beside what needs no network."""
    figure, axes = _figure(height=0.42 * len(values) + 1.2)
    names = sorted(values, key=lambda name: values[name], reverse=True)
    drawn = axes.barh(names, [values[name] for name in names], color=[BLUE if n == ours else GREY for n in names])
    axes.bar_label(drawn, fmt="%.3f", padding=4)
    axes.set(xlabel="bits per character, lower is better", title="The test split")
    axes.margins(x=0.12)
    _save(figure, path)


def gradient_reach(reaches: Mapping[str, ArrayLike], path: Path) -> None:
    """Size of the gradient against how many steps back it was sent, on a logarithmic scale."""
    figure, axes = _figure()
    colours = [BLUE, RED, ORANGE, GREEN, GREY, "black"]
    for (name, reach), colour in zip(reaches.items(), colours, strict=False):
        style = ":" if name.startswith("linear") else "-"
        axes.semilogy(reach, style, label=name, color=colour, lw=2.4 if name.startswith("trained") else 1.3)
    axes.set(xlabel="steps back", ylabel="gradient, relative to the last step", ylim=(1e-7, 1e5),
             title="How far the gradient reaches back")
    axes.legend(frameon=False, fontsize=8, ncols=2)
    _save(figure, path)


def _figure(height: float = 3.8):  # type: ignore[no-untyped-def]  # matplotlib's own types say less than they do
    figure = Figure(figsize=(7, height), layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="both", color="#e6e8eb", lw=0.6)
    axes.set_axisbelow(True)
    return figure, axes


def _save(figure: Figure, path: Path) -> None:
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=110, metadata={"Software": None})
