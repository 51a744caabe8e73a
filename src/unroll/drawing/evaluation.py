"""Pictures of a model's evaluation: its training curves, and its predictions for the test split."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from unroll.drawing.style import BLUE, GREEN, GREY, ORANGE, RED, plain, plot, save

Values = NDArray[Any]
Row = Mapping[str, float]


def curves(
    train: Sequence[Row], validation: Sequence[Row], units: Mapping[str, tuple[str, float]], best: int, path: Path
) -> None:
    """Training and validation losses over optimiser steps, a panel for each column of the rows that `units` name.

    A unit is a name and what a loss is multiplied by for it; `best` is the step whose weights were kept.
    """
    figure = Figure(figsize=(7, 3.8 * len(units)), layout="constrained")
    for axes, (column, (unit, factor)) in zip(figure.subplots(len(units), 1, squeeze=False)[:, 0], units.items(),
                                              strict=True):
        axes.plot([row["step"] for row in train], [row[column] * factor for row in train], color=BLUE, lw=1.2,
                  label="training (mean of an interval)")
        axes.plot([row["step"] for row in validation], [row[column] * factor for row in validation], color=ORANGE,
                  lw=1.8, marker="o", ms=4 if len(validation) < 30 else 0, label="validation")
        kept = next(row for row in validation if row["step"] == best)
        name = "best" if len(units) == 1 else "kept"     # of several targets, it may be the best of another
        axes.annotate(f"{name} {kept[column] * factor:.3f}", (best, kept[column] * factor), (0, 14),
                      textcoords="offset points", ha="center", color=ORANGE)
        title = "Training and validation loss"
        axes.set(xlabel="optimiser step", ylabel=unit, title=title if column == "loss" else f"{title}: {column[:-5]}")
        axes.legend(frameon=False)
        plain(axes)
    save(figure, path)


def _short(name: str) -> str:
    return name if len(name) < 15 else name[:14] + "…"


def bars(values: Mapping[str, float], model: str, unit: str, higher_is_better: bool, path: Path) -> None:
    """The measure of the test split by method, the best on top; `model` names the model's own bar."""
    figure, axes = plot(height=0.42 * len(values) + 1.2)
    names = sorted(values, key=lambda name: values[name], reverse=not higher_is_better)
    drawn = axes.barh([name.replace("_", " ") for name in names], [values[name] for name in names],
                      color=[BLUE if name == model else GREY for name in names])
    axes.bar_label(drawn, fmt="%.3f" if max(values.values()) < 1000 else "%.4g", padding=4)
    axes.set(xlabel=f"{unit}, {'higher' if higher_is_better else 'lower'} is better",
             title="The model beside baselines, test split")
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
    names = [_short(name) for name in classes]
    axes.set_xticks(range(len(classes)), names, rotation=45, ha="right")
    axes.set_yticks(range(len(classes)), names)
    axes.set(xlabel="predicted", ylabel="true", title="Confusion matrix, test split")
    figure.colorbar(drawn, label="share of the true class", shrink=0.8)
    save(figure, path)


def recalls(recall: NDArray[np.float64], examples: NDArray[np.int64], classes: Sequence[str], path: Path) -> None:
    """Recall by class, those with most training examples first; NaN where the test split has none."""
    figure = Figure(figsize=(7, 4.6), layout="constrained")
    above, below = (plain(axes) for axes in figure.subplots(2, 1, sharex=True, height_ratios=(2, 1)))
    place = np.arange(len(classes))
    above.bar(place, np.nan_to_num(recall), color=BLUE)
    if np.isnan(recall).any():
        above.plot(place[np.isnan(recall)], np.full(np.isnan(recall).sum(), 0.03), "x", color=GREY,
                   label="not in the test split")
    above.axhline(np.nanmean(recall), color=ORANGE, lw=1.2, label=f"balanced accuracy {np.nanmean(recall):.3f}")
    above.set(ylabel="recall", ylim=(0, 1.02), title="Recall by class, test split, the most frequent class first")
    above.legend(frameon=False, fontsize=8, loc="lower left", bbox_to_anchor=(0, 1.1), ncols=2)
    below.bar(place, examples, color=GREY)
    below.set(ylabel="in training", yscale="log", ylim=(0.5, None))
    if len(classes) <= 20:
        below.set_xticks(place, [_short(name) for name in classes], rotation=45, ha="right")
    else:
        below.set(xlabel="rank by frequency", xticks=[])
    save(figure, path)


def traces(predicted: ArrayLike, truth: ArrayLike, path: Path) -> None:
    """True and predicted values of the first steps of the test split."""
    figure, axes = plot()
    axes.plot(truth, color="black", lw=1.6, label="true")
    axes.plot(predicted, color=ORANGE, lw=1.1, ls="--", label="predicted")
    axes.set(xlabel="step of the test split", ylabel="value")
    axes.set_title("Predictions step by step", loc="left")
    axes.legend(frameon=False, ncols=2, loc="upper right", bbox_to_anchor=(1, 1.12))
    save(figure, path)


def scatter(predicted: NDArray[np.float64], truth: NDArray[np.float64], path: Path) -> None:
    """Predictions against true values; a perfect model lies on the line."""
    figure = Figure(figsize=(4.6, 4.4), layout="constrained")
    axes = figure.add_subplot()
    low, high = min(truth.min(), predicted.min()), max(truth.max(), predicted.max())
    axes.plot([low, high], [low, high], color=GREY, lw=1)
    shown = slice(None, None, max(1, len(truth) // 3000))
    axes.scatter(truth[shown], predicted[shown], s=14, color=BLUE, alpha=0.6, linewidths=0)
    axes.set(xlabel="true", ylabel="predicted", title="Predicted and true, test split")
    save(figure, path)


def label_roll(predicted: NDArray[np.float64], truth: NDArray[np.float64], path: Path) -> None:
    """True labels (T, L) over their predicted probabilities (T, L); rows of labels that never occur are left out."""
    used = np.flatnonzero((truth > 0).any(axis=0) | (predicted > 0.1).any(axis=0))
    low, high = (used.min(), used.max() + 1) if len(used) else (0, truth.shape[1])
    figure = Figure(figsize=(7, 5), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    for axes, values, title in ((above, truth, "True labels"), (below, predicted, "Predicted probabilities")):
        drawn = axes.imshow(values[:, low:high].T, aspect="auto", origin="lower", cmap="Blues", vmin=0, vmax=1,
                            extent=(0, len(values), low, high), interpolation="nearest")
        axes.set(ylabel="label", title=title)
    below.set(xlabel="step of the test split")
    figure.colorbar(drawn, ax=[above, below], label="probability", shrink=0.7)
    save(figure, path)


def gradient_reach(reaches: Mapping[str, ArrayLike], path: Path) -> None:
    """Size of the gradient against how many steps back it was sent, on a logarithmic scale."""
    figure, axes = plot()
    colours = [BLUE, RED, ORANGE, GREEN, GREY, "black"]
    for (name, reach), colour in zip(reaches.items(), colours, strict=False):
        style = ":" if name.startswith("linear") else "-"
        axes.semilogy(reach, style, label=name, color=colour, lw=2.4 if name.startswith("trained") else 1.3)
    axes.set(xlabel="steps back", ylabel="gradient, relative to the last step", ylim=(1e-7, 1e5),
             title="How far the gradient reaches back")
    axes.legend(frameon=False, fontsize=8, ncols=2)
    save(figure, path)
