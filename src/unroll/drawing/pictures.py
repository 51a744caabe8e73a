"""Every picture. The same numbers give the same bytes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from unroll.base.files import replacing

Row = Mapping[str, float]
BLUE, ORANGE, GREEN, RED, GREY = "#2463a6", "#d9730d", "#2d7d46", "#b3261e", "#8a8f98"
BANDS = ((0.95, "#dbe6f2", "95%"), (0.8, "#b4cce5", "80%"), (0.5, "#86add6", "50% of the paths"))
FEW, MOST = 5, 4        # paths that are drawn one by one, series of a picture


def curves(train: Sequence[Row], validation: Sequence[Row], factor: float, unit: str, path: Path) -> None:
    """Training and validation loss over optimiser steps; `factor` turns the loss into `unit`."""
    figure, axes = _figure()
    axes.plot([row["step"] for row in train], [row["loss"] * factor for row in train], color=BLUE, lw=1.2,
              label="training (mean of an interval)")
    axes.plot([row["step"] for row in validation], [row["loss"] * factor for row in validation], color=ORANGE, lw=1.8,
              marker="o", ms=4 if len(validation) < 30 else 0, label="validation")
    best = min(validation, key=lambda row: row["loss"])
    axes.annotate(f"best {best['loss'] * factor:.3f}", (best["step"], best["loss"] * factor), (0, 14),
                  textcoords="offset points", ha="center", color=ORANGE)
    axes.set(xlabel="optimiser step", ylabel=unit, title="What training came to")
    axes.legend(frameon=False)
    save(figure, path)


def bars(values: Mapping[str, float], ours: str, unit: str, higher_is_better: bool, path: Path) -> None:
    """The measure on the test split, the model beside what needs no network."""
    figure, axes = _figure(height=0.42 * len(values) + 1.2)
    names = sorted(values, key=lambda name: values[name], reverse=not higher_is_better)
    drawn = axes.barh([name.replace("_", " ") for name in names], [values[name] for name in names],
                      color=[BLUE if name == ours else GREY for name in names])
    axes.bar_label(drawn, fmt="%.3f" if max(values.values()) < 1000 else "%.4g", padding=4)
    axes.set(xlabel=f"{unit}, {'higher' if higher_is_better else 'lower'} is better", title="The test split")
    axes.margins(x=0.12)
    save(figure, path)


def confusion(counts: NDArray[np.int64], classes: Sequence[str], path: Path) -> None:
    """Rows are true classes, columns predicted ones; colour is the share of the row."""
    size = min(9.0, 2.6 + 0.42 * len(classes))
    figure = Figure(figsize=(size + 1.2, size), layout="constrained")
    axes = figure.add_subplot()
    share = counts / counts.sum(axis=1, keepdims=True).clip(1)
    drawn = axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    if len(classes) <= 20:
        for row, column in np.ndindex(counts.shape):
            if counts[row, column]:
                axes.text(column, row, str(counts[row, column]), ha="center", va="center", fontsize=8,
                          color="white" if share[row, column] > 0.6 else "black")
    names = [name if len(name) < 15 else name[:14] + "…" for name in classes]
    axes.set_xticks(range(len(classes)), names, rotation=45, ha="right")
    axes.set_yticks(range(len(classes)), names)
    axes.set(xlabel="predicted", ylabel="true", title="Who is taken for whom on the test split")
    figure.colorbar(drawn, label="share of the true class", shrink=0.8)
    save(figure, path)


def traces(predicted: ArrayLike, truth: ArrayLike, path: Path) -> None:
    """The beginning of the test split, step by step."""
    figure, axes = _figure()
    axes.plot(truth, color="black", lw=1.6, label="true")
    axes.plot(predicted, color=ORANGE, lw=1.1, ls="--", label="predicted")
    axes.set(xlabel="step of the test split", ylabel="value", title="Predicted, step by step")
    axes.legend(frameon=False, ncols=2, loc="upper right", bbox_to_anchor=(1, 1.12))
    save(figure, path)


def against(predicted: NDArray[np.float64], truth: NDArray[np.float64], path: Path) -> None:
    """Every prediction against the truth; a perfect model lies on the line."""
    figure = Figure(figsize=(4.6, 4.4), layout="constrained")
    axes = figure.add_subplot()
    low, high = min(truth.min(), predicted.min()), max(truth.max(), predicted.max())
    axes.plot([low, high], [low, high], color=GREY, lw=1)
    shown = slice(None, None, max(1, len(truth) // 3000))
    axes.scatter(truth[shown], predicted[shown], s=14, color=BLUE, alpha=0.6, linewidths=0)
    axes.set(xlabel="true", ylabel="predicted", title="The test split")
    save(figure, path)


def rolls(predicted: NDArray[np.float64], truth: NDArray[np.float64], path: Path) -> None:
    """Labels over steps: what was on, and how probable the network held it just before."""
    used = np.flatnonzero((truth > 0).any(axis=0) | (predicted > 0.1).any(axis=0))
    low, high = (used.min(), used.max() + 1) if len(used) else (0, truth.shape[1])
    figure = Figure(figsize=(7, 5), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    for axes, values, title in ((above, truth, "What sounded"), (below, predicted, "How probable it was held")):
        drawn = axes.imshow(values[:, low:high].T, aspect="auto", origin="lower", cmap="Blues", vmin=0, vmax=1,
                            extent=(0, len(values), low, high), interpolation="nearest")
        axes.set(ylabel="label", title=title)
    below.set(xlabel="step of the test split")
    figure.colorbar(drawn, ax=[above, below], label="probability", shrink=0.7)
    save(figure, path)


def fans(
    origins: Sequence[tuple[NDArray[Any], NDArray[Any], NDArray[np.float64]]], levels: NDArray[np.float64], path: Path
) -> None:
    """Forecasts from several origins: what was read (N,), what came (H,), quantiles (H, levels)."""
    save(fan_charts(origins, levels, "Forecasts of the test split, from its first origin to its last"), path)


def fan_charts(
    origins: Sequence[tuple[NDArray[Any], NDArray[Any], NDArray[np.float64]]], levels: NDArray[np.float64], title: str
) -> Figure:
    """As `fans`, not yet a file; nothing may have come yet."""
    figure = Figure(figsize=(7, 2.6 * len(origins)), layout="constrained")
    for axes, (window, future, quantiles) in zip(np.atleast_1d(figure.subplots(len(origins), 1)), origins, strict=True):
        ahead = np.arange(len(quantiles)) + 1
        axes.plot(np.arange(1 - len(window), 1), window, color="black", lw=1.2, label="read")
        if len(future):
            axes.plot(ahead, future, color="black", lw=1.2, ls=":", marker=".", ms=4, label="came")
        for low in range(len(levels) // 2):
            share = levels[-1 - low] - levels[low]
            label = f"{share:.0%} interval" if low in (0, len(levels) // 2 - 1) else None
            axes.fill_between(ahead, quantiles[:, low], quantiles[:, -1 - low], color=BLUE, lw=0, alpha=0.16,
                              label=label)
        axes.plot(ahead, quantiles[:, int(np.abs(levels - 0.5).argmin())], color=BLUE, lw=1.6, label="median")
        axes.axvline(0, color=GREY, lw=0.8)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="both", color="#e6e8eb", lw=0.6)
    figure.axes[0].legend(frameon=False, fontsize=8, ncols=3, loc="upper left")
    figure.axes[0].set(title=title)
    figure.axes[-1].set(xlabel="steps from the origin")
    return figure


def piano_roll(roll: NDArray[np.bool_], primed: int, lowest: int, path: Path) -> None:
    """Notes (T, N) that sound, the first `primed` frames in another colour; `lowest` is MIDI's number of the first."""
    used = np.flatnonzero(roll.any(axis=0))
    bottom, top = (used.min(), used.max() + 1) if len(used) else (0, roll.shape[1])
    figure, axes = _figure()
    given = np.arange(len(roll))[:, None] < primed
    for frames, colour, label in ((roll & given, GREY, "given"), (roll & ~given, BLUE, "sampled")):
        bars = [((start, low), (end, low), (end, high), (start, high)) for row in range(bottom, top)
                for low, high in [(lowest + row - 0.4, lowest + row + 0.4)] for start, end in _runs(frames[:, row])]
        # one collection: of thousands of single bars the drawing would take seconds
        axes.add_collection(PolyCollection(bars, facecolors=colour, edgecolors="white", linewidths=0.3, label=label))
    if primed:
        axes.axvline(primed, color="black", lw=0.8, ls=":")
        axes.legend(frameon=False, fontsize=8, ncols=2, loc="lower right", bbox_to_anchor=(1, 1), borderpad=0)
    octaves = [pitch for pitch in range(lowest + bottom - 1, lowest + top + 1) if pitch % 12 == 0]
    axes.set_yticks(octaves, [f"C{pitch // 12 - 1}" for pitch in octaves])
    axes.set(xlabel="frame", ylabel="note", xlim=(0, max(1, len(roll))),
             ylim=(lowest + bottom - 1.5, lowest + top + 0.5))
    after = f" after {primed:,} given ones" if primed else ""
    axes.set_title(f"{len(roll) - primed:,} sampled frames{after}", loc="left")
    save(figure, path)


def _runs(on: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Where each stretch starts and ends."""
    edges = np.flatnonzero(np.diff(on.astype(np.int8), prepend=0, append=0))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]


def fan(history: NDArray[Any], paths: NDArray[np.float64], names: Sequence[str], path: Path) -> None:
    """What was read (N, D), and sampled paths (n, H, D): a few of them, and where most of them are."""
    size = min(len(names), MOST)
    ahead = np.arange(paths.shape[1] + 1)
    figure = Figure(figsize=(7, 1.2 + 2.6 * size), layout="constrained")
    for column, axes in enumerate(np.atleast_1d(figure.subplots(size, 1, sharex=True))):
        now = np.full((len(paths), 1), history[-1, column])
        lines = np.concatenate([now, paths[:, :, column]], axis=1)          # (n, 1 + H)
        axes.plot(np.arange(1 - len(history), 1), history[:, column], color="black", lw=1.2, label="read")
        for share, colour, label in BANDS:
            low, high = np.quantile(lines, [0.5 - share / 2, 0.5 + share / 2], axis=0)
            axes.fill_between(ahead, low, high, color=colour, lw=0, label=label)
        for number, line in enumerate(lines[:FEW]):
            axes.plot(ahead, line, color=ORANGE, lw=0.6, alpha=0.8, label=None if number else "some of them")
        axes.plot(ahead, np.median(lines, axis=0), color=BLUE, lw=1.8, label="median")
        axes.axvline(0, color=GREY, lw=0.8)
        axes.margins(x=0.01)
        plain(axes).set(ylabel=names[column])
    title = f"{len(paths):,} sampled paths of {paths.shape[1]:,} steps"
    title += f", the first {size} of {len(names)} series" if size < len(names) else ""
    figure.axes[0].set_title(title, loc="left")
    figure.axes[-1].set(xlabel="steps from the last one read")
    figure.legend(*figure.axes[0].get_legend_handles_labels(), frameon=False, fontsize=8, ncols=6,
                  columnspacing=1.2, loc="outside lower center")
    save(figure, path)


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
    save(figure, path)


def temperature(rows: Sequence[Row], real: Row, path: Path) -> None:
    """What temperature does: how likely samples are to n-grams, and how much they repeat; `real` text as dashes."""
    figure = Figure(figsize=(9.2, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    heat = [row["temperature"] for row in rows]
    likely = next(name for name in rows[0] if name.startswith("ngram"))
    different = next(name for name in rows[0] if name.startswith("distinct"))
    for axes, name, colour, what in (
        (left, likely, BLUE, f"bits/character under {likely.removeprefix('ngram').removesuffix('_bpc')}-grams"),
        (right, different, GREEN, f"share of different {different.removeprefix('distinct_')}-grams"),
    ):
        axes.plot(heat, [row[name] for row in rows], color=colour, lw=1.8, marker="o", ms=5, label="samples")
        if f"samples/real_{name}" in real:
            axes.axhline(real[f"samples/real_{name}"], color="black", lw=1.2, ls="--", label="real text")
        plain(axes).set(xlabel="temperature", ylabel=what)
        axes.legend(frameon=False)
    left.set_title("Quality: how surprising")
    right.set_title("Diversity: how little is repeated")
    save(figure, path)


def _figure(height: float = 3.8):  # type: ignore[no-untyped-def]  # matplotlib's own types say less than they do
    figure = Figure(figsize=(7, height), layout="constrained")
    return figure, plain(figure.add_subplot())


def plain(axes: Any) -> Any:
    """No more lines than it takes."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="both", color="#e6e8eb", lw=0.6)
    axes.set_axisbelow(True)
    return axes


def save(figure: Figure, path: Path) -> None:
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=110, metadata={"Software": None})
