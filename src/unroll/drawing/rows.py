"""Sequences of several fields: a chart for each column, a sequence beside the other."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from unroll.drawing.style import BLUE, GREY, plain, save

COLUMNS, STEPS, NAMES = 8, 200, 12      # most that are drawn; more names than that stand as texts


class Drawn(NamedTuple):
    title: str
    columns: dict[str, Sequence[Any]]       # of each column its cells: numbers, or names
    primed: int = 0                         # how many of the first steps are a prompt
    real: bool = False                      # whether it is of the data


def rows(sequences: Sequence[Drawn], path: Path) -> None:
    save(rows_figure(sequences), path)


def rows_figure(sequences: Sequence[Drawn]) -> Figure:
    """Those of the data are grey, prompts too; what was drawn is blue."""
    names = [*sequences[0].columns][:COLUMNS]
    figure = Figure(figsize=(1 + 2.4 * max(2, len(sequences)), 0.8 + 1.35 * len(names)), layout="constrained")
    charts = figure.subplots(len(names), len(sequences), squeeze=False, sharex="col", sharey="row")
    for row, name in zip(charts, names, strict=True):
        cells = [sequence.columns[name][:STEPS] for sequence in sequences]
        places = _places([cell for own in cells for cell in own])
        for axes, sequence, own in zip(row, sequences, cells, strict=True):
            _draw(plain(axes), sequence, own, places)
        row[0].set_ylabel(name if len(name) <= 14 else f"{name[:13]}…")
    for axes, sequence in zip(charts[0], sequences, strict=True):
        axes.set_title(sequence.title, loc="left", fontsize=9)
    for axes in charts[-1]:
        axes.set_xlabel("step")
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    return figure


def _places(cells: Sequence[Any]) -> dict[Any, int] | None:
    """Where each name stands; None of numbers, and nowhere where there are too many."""
    if not any(isinstance(cell, str) for cell in cells):
        return None
    names = sorted({_shown(cell) for cell in cells})
    return {name: at for at, name in enumerate(names)} if len(names) <= NAMES else {}


def _shown(cell: Any) -> str:
    if cell is None or cell != cell or cell == "":
        return "·"
    return "␣" if cell == " " else str(cell).replace("\n", "⏎")


def _draw(axes: Any, sequence: Drawn, cells: Sequence[Any], places: dict[Any, int] | None) -> None:
    steps = np.arange(1, len(cells) + 1)
    colours = [GREY if sequence.real or at < sequence.primed else BLUE for at in range(len(cells))]
    if places == {}:        # each name at its step
        axes.set(ylim=(0, 1), yticks=[], xlim=(0.5, len(cells) + 0.5))
        for at, (step, cell) in enumerate(zip(steps, cells, strict=True)):
            axes.text(step, 0.5, _shown(cell)[:12], color=colours[at], fontsize=7, family="monospace", ha="center",
                      va="center", rotation=90 if len(_shown(cell)) > 1 else 0, parse_math=False)
        return
    values = np.array([places[_shown(cell)] if places else cell for cell in cells], float)
    axes.plot(steps, values, color=GREY, lw=0.6)
    axes.scatter(steps, values, c=colours, s=12, zorder=2)
    if places:
        axes.set_yticks(range(len(places)), [name[:12] for name in places], parse_math=False)
        axes.set_ylim(-0.6, len(places) - 0.4)
