"""Pictures of sweeps and studies."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from unroll.drawing.style import BLUE, GREY, ORANGE, plain, plot, save

SHOWN = 12      # configurations in a picture; more colours cannot be distinguished
COLOURS = ("#2463a6", "#d9730d", "#2d7d46", "#b3261e", "#7a4fb5", "#0f8b8d", "#a0522d", "#c2528b", "#5b6770", "#b8a100",
           "#3f3f9e", "#111111")

Curve = Sequence[tuple[int, float]]     # (step, the objective on the validation split)


def ranking(
    entries: Sequence[tuple[str, Sequence[float], Sequence[Curve]]], objective: str, higher_is_better: bool, path: Path
) -> None:
    """Configurations, the best first: the best validation of each of their runs, and the runs' curves."""
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
    more = f", the first {SHOWN} of {len(entries)}" if len(entries) > SHOWN else ""
    better = "higher" if higher_is_better else "lower"
    left.set(xlabel=f"best validation {objective} ({better} is better): runs and their mean", title=f"Ranking{more}")
    right.set(xlabel="optimiser step", ylabel=f"validation {objective}", title="Validation curves")
    for axes in (left, right):
        plain(axes)
    save(figure, path)


def short(name: str, width: int = 46) -> str:
    return name if len(name) <= width else name[: width - 1] + "…"


def history(
    trials: Sequence[tuple[int, float, bool]], objective: str, higher_is_better: bool, path: Path
) -> None:
    """(number, objective, whether it was completed) of every trial, and the best so far."""
    figure, axes = plot()
    for whole, label, colour, marker in ((True, "completed", BLUE, "o"), (False, "pruned", GREY, "x")):
        shown = [(number, loss) for number, loss, completed in trials if completed == whole]
        axes.scatter([number for number, _ in shown], [loss for _, loss in shown], s=26, label=label, color=colour,
                     marker=marker)
    completed = sorted((number, loss) for number, loss, whole in trials if whole)
    better = max if higher_is_better else min
    best = [better(value for _, value in completed[: place + 1]) for place in range(len(completed))]
    axes.step([number for number, _ in completed], best, where="post", color=ORANGE, lw=1.8, label="best so far")
    values = sorted((value for _, value, _ in trials), reverse=higher_is_better)
    # without the worst tenth: a trial that diverged would leave no room for the others
    room = values[min(len(values) - 1, int(0.9 * len(values)))] - values[0] or (-1e-9 if higher_is_better else 1e-9)
    axes.set_ylim(*sorted((values[0] - 0.08 * room, values[0] + 1.15 * room)))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(xlabel="trial", ylabel=f"validation {objective}", title="Trials of the study")
    axes.legend(frameon=False)
    save(figure, path)


def importances(weights: Mapping[str, float], path: Path) -> None:
    """The share of the loss's variance that each hyperparameter explains, the largest on top."""
    figure, axes = plot(height=0.42 * len(weights) + 1.4)
    names = sorted(weights, key=lambda name: weights[name])
    drawn = axes.barh(names, [weights[name] for name in names], color=BLUE)
    axes.bar_label(drawn, fmt="%.2f", padding=4)
    axes.set(xlabel="share of the variance explained (fANOVA)", title="Importance of hyperparameters")
    axes.margins(x=0.12)
    save(figure, path)
