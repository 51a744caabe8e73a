"""Sweeps and studies as pictures."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from unroll.drawing.pictures import BLUE, GREY, ORANGE, plain, save

SHOWN = 12      # configurations; more are not told apart
COLOURS = ("#2463a6", "#d9730d", "#2d7d46", "#b3261e", "#7a4fb5", "#0f8b8d", "#a0522d", "#c2528b", "#5b6770", "#b8a100",
           "#3f3f9e", "#111111")

Curve = Sequence[tuple[int, float]]     # (step, validation loss)


def compared(entries: Sequence[tuple[str, Sequence[float], Sequence[Curve]]], path: Path) -> None:
    """The best validation loss of every run by configuration, the best one on top, beside how they got there."""
    shown = entries[:SHOWN]
    figure = Figure(figsize=(11, max(3.2, 0.42 * len(shown) + 1.6)), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1.15, 1))
    for place, (name, losses, runs) in enumerate(shown):
        colour = COLOURS[place]
        left.plot(losses, [place] * len(losses), "o", color=colour, alpha=0.55, ms=6)
        left.plot([sum(losses) / len(losses)] * 2, [place - 0.28, place + 0.28], color=colour, lw=2.5)
        for number, run in enumerate(runs):
            right.plot([step for step, _ in run], [loss for _, loss in run], color=colour, alpha=0.8, lw=1.4,
                       marker="o", ms=2.5, label=None if number else name)
    left.set_yticks(range(len(shown)), [short(name) for name, *_ in shown])
    left.invert_yaxis()
    left.set(xlabel="best validation loss (lower is better): runs and their mean", title="Which one is best")
    right.set(xlabel="optimiser step", ylabel="validation loss", title="How they got there")
    for axes in (left, right):
        plain(axes)
    if len(entries) > SHOWN:
        left.set_title(f"The best {SHOWN} of {len(entries)}")
    save(figure, path)


def short(name: str, width: int = 46) -> str:
    return name if len(name) <= width else name[: width - 1] + "…"


def history(trials: Sequence[tuple[int, float, bool]], path: Path) -> None:
    """(number, loss, whether it ran to its end) of every trial, and the best one so far."""
    figure = Figure(figsize=(7, 3.8), layout="constrained")
    axes = plain(figure.add_subplot())
    for whole, label, colour, marker in ((True, "finished", BLUE, "o"), (False, "given up", GREY, "x")):
        shown = [(number, loss) for number, loss, each in trials if each == whole]
        axes.scatter([number for number, _ in shown], [loss for _, loss in shown], s=26, label=label, color=colour,
                     marker=marker)
    whole_ones = sorted((number, loss) for number, loss, whole in trials if whole)
    best = [min(loss for _, loss in whole_ones[: place + 1]) for place in range(len(whole_ones))]
    axes.step([number for number, _ in whole_ones], best, where="post", color=ORANGE, lw=1.8, label="best so far")
    losses = sorted(loss for _, loss, _ in trials)
    # one that diverged would leave no room for the others
    high = losses[min(len(losses) - 1, int(0.9 * len(losses)))]
    axes.set_ylim(losses[0] - 0.08 * (high - losses[0] + 1e-9), high + 0.15 * (high - losses[0] + 1e-9))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(xlabel="trial", ylabel="validation loss", title="What the search found")
    axes.legend(frameon=False)
    save(figure, path)


def importances(weights: Mapping[str, float], path: Path) -> None:
    """How much of the differences between trials each name explains."""
    figure = Figure(figsize=(7, 0.42 * len(weights) + 1.4), layout="constrained")
    axes = plain(figure.add_subplot())
    names = sorted(weights, key=lambda name: weights[name])
    drawn = axes.barh(names, [weights[name] for name in names], color=BLUE)
    axes.bar_label(drawn, fmt="%.2f", padding=4)
    axes.set(xlabel="share of the differences explained (fANOVA)", title="What mattered")
    axes.margins(x=0.12)
    save(figure, path)
