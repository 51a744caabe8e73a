"""Pictures of what a model generates: notes, sampled paths of a series, the effect of temperature."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from numpy.typing import NDArray

from unroll.drawing.style import BLUE, GREEN, GREY, ORANGE, label_ends, mark_steps, plain, plot, save

# the share of the paths, the colour of its band, far apart in grey, too, and that of its name
BANDS = ((0.9, "#d3e1f1", "#5b83b0"), (0.5, "#92b5dc", "#5b83b0"))
SINGLE, SERIES = 5, 6       # most paths drawn one by one, most variables of a picture


def piano_roll(roll: NDArray[np.bool_], primed: int, lowest: int, path: Path) -> None:
    """Notes (T, N) that sound; the first `primed` frames are the prompt; `lowest` is the first note's MIDI number."""
    used = np.flatnonzero(roll.any(axis=0))
    bottom, top = (used.min(), used.max() + 1) if len(used) else (0, roll.shape[1])
    figure, axes = plot()
    prompt = np.arange(len(roll))[:, None] < primed
    for frames, colour, label in ((roll & prompt, GREY, "prompt"), (roll & ~prompt, BLUE, "sampled")):
        notes = [((start, low), (end, low), (end, high), (start, high)) for row in range(bottom, top)
                 for low, high in [(lowest + row - 0.4, lowest + row + 0.4)] for start, end in _runs(frames[:, row])]
        # one collection: drawing thousands of single bars takes seconds
        axes.add_collection(PolyCollection(notes, facecolors=colour, edgecolors="white", linewidths=0.3, label=label))
    if primed:
        axes.axvline(primed, color="black", lw=0.8, ls=":")
        axes.legend(frameon=False, fontsize=8, ncols=2, loc="lower right", bbox_to_anchor=(1, 1), borderpad=0)
    octaves = [pitch for pitch in range(lowest + bottom - 1, lowest + top + 1) if pitch % 12 == 0]
    axes.set_yticks(octaves, [f"C{pitch // 12 - 1}" for pitch in octaves])
    axes.set(xlabel="frame", ylabel="note", xlim=(0, max(1, len(roll))),
             ylim=(lowest + bottom - 1.5, lowest + top + 0.5))
    after = f" after a prompt of {primed:,}" if primed else ""
    axes.set_title(f"{len(roll) - primed:,} sampled frames{after}", loc="left")
    save(figure, path)


def _runs(on: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Start and end of each stretch of true values."""
    edges = np.flatnonzero(np.diff(on.astype(np.int8), prepend=0, append=0))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]


def sampled_paths(history: NDArray[Any], paths: NDArray[np.float64], names: Sequence[str], path: Path,
                  times: NDArray[Any] | None = None, clock: str = "") -> None:
    """History (N, D) and sampled paths (n, H, D): their median, central bands and a few single paths.

    `times` (N + H,) are called `clock`; without, steps are counted from the end of the history.
    """
    size, before, steps = min(len(names), SERIES), len(history), paths.shape[1]
    places = np.arange(1 - before, steps + 1) if times is None else times
    figure = Figure(figsize=(7, 0.8 + (2.6 if size < 4 else 1.8) * size), layout="constrained")
    for column, axes in enumerate(np.atleast_1d(figure.subplots(size, 1, sharex=True))):
        now = np.full((len(paths), 1), history[-1, column])
        lines = np.concatenate([now, paths[:, :, column]], axis=1)          # (n, 1 + H)
        ahead = places[before - 1 :]
        axes.plot(places[:before], history[:, column], color="black", lw=1.2)
        ends: dict[str, tuple[float, str]] = {}
        for share, colour, shown in BANDS:
            low, high = np.quantile(lines, [0.5 - share / 2, 0.5 + share / 2], axis=0)
            axes.fill_between(ahead, low, high, color=colour, lw=0)
            ends[f"{share:.0%} of the paths"] = float(high[-1]), shown
        for line in lines[:SINGLE]:
            axes.plot(ahead, line, color=ORANGE, lw=0.6, alpha=0.8)
        median = np.median(lines, axis=0)
        axes.plot(ahead, median, color=BLUE, lw=1.8)
        axes.axvline(ahead[0], color=GREY, lw=0.8)
        axes.margins(x=0.01)
        mark_steps(axes, times, 9)
        plain(axes).set(ylabel=names[column])
        axes.set_axisbelow("line")      # the grid above the bands, below the lines
        if column == 0:
            label_ends(axes, {**ends, "median": (float(median[-1]), BLUE), "single paths": (
                float(lines[:SINGLE, -1].min()), ORANGE)})
    title = f"{len(paths):,} sampled paths of {steps:,} steps"
    title += f", the first {size} of {len(names)} variables" if size < len(names) else ""
    figure.axes[0].set_title(title, loc="left")
    figure.axes[-1].set(xlabel="steps from the end of the history" if times is None else clock)
    save(figure, path)


def temperature(rows: Sequence[Mapping[str, float]], metrics: Mapping[str, float], path: Path) -> None:
    """Likelihood under n-grams and diversity of samples against temperature.

    `rows` hold `temperature`, one `ngram…` and one `distinct…` figure; `metrics` those of real text, drawn as dashes.
    """
    figure = Figure(figsize=(9.2, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    temperatures = [row["temperature"] for row in rows]
    bits = next(name for name in rows[0] if name.startswith("ngram"))
    distinct = next(name for name in rows[0] if name.startswith("distinct"))
    for axes, name, colour, label in (
        (left, bits, BLUE, f"bits/character under {bits.removeprefix('ngram').removesuffix('_bpc')}-grams"),
        (right, distinct, GREEN, f"share of different {distinct.removeprefix('distinct_')}-grams"),
    ):
        axes.plot(temperatures, [row[name] for row in rows], color=colour, lw=1.8, marker="o", ms=5, label="samples")
        if f"samples/real_{name}" in metrics:
            axes.axhline(metrics[f"samples/real_{name}"], color="black", lw=1.2, ls="--", label="real text")
        plain(axes).set(xlabel="temperature", ylabel=label)
        axes.legend(frameon=False)
    left.set_title("How unlikely samples are")
    right.set_title("How diverse samples are")
    save(figure, path)
