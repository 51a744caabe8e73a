"""The series of a table of events, with what a second table says of each."""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.base.errors import UserError
from unroll.config.sources.events import Settings
from unroll.data.source import Piece, Source
from unroll.data.spec import Reading
from unroll.readers.common.columns import Columns
from unroll.readers.common.events import Events
from unroll.readers.common.numbers import Numbers
from unroll.readers.common.series_rows import rows_of_series
from unroll.sources.common.items import items_of
from unroll.sources.common.memory import Items, Lazy
from unroll.sources.common.stored import Labels, side_by_side


def event_series(settings: Settings, reading: Reading, table: Columns, outcomes: Columns | None, scratch: Path | None,
                 splits: Mapping[str, Any] | None = None) -> Source:
    """All series of the second table, or of the events; `splits` are the rows of each, where they are given."""
    assert reading.table is not None and reading.table.events is not None
    channels = _channels(settings)
    events = Events(table, reading.table, [*channels], scratch)
    for name in events.missing:
        raise UserError("unknown-name", f"data.columns.{channels[name]}", f"no event has the channel {name!r}. "
                        f"Channels are {', '.join(map(repr, [*channels, *sorted(events.others)][:20]))}.")
    order: Sequence[int | None] = range(len(events))
    names = Lazy(len(events), events.name)
    beside: dict[str, Any] = {}
    if outcomes is not None:
        listed, order = rows_of_series(outcomes, settings.series, events, settings.outcomes or "")
        names = Lazy(len(listed), listed.__getitem__)
        beside = {name: _values(settings, outcomes, name, scratch) for name in settings.columns
                  if name not in settings.step_inputs}
    series = _Series(settings, events, order, beside, [*channels], scratch)
    groups = None if settings.group is None or outcomes is None else outcomes.texts(
        settings.group, "empty. Give a group of its own, or leave data.group out.")
    pieces = Lazy(len(order), series.piece)
    source = items_of(settings, pieces, names, groups) if splits is None else Items(pieces, splits, names)
    source.columns = settings.columns
    source.notes = [*series.notes()]
    others = reading.table.events.model_copy(update={"others": tuple(sorted(events.others))})
    source.reading = reading.model_copy(update={"table": reading.table.model_copy(update={"events": others})})
    return source


def _channels(settings: Settings) -> dict[str, str]:
    """The inputs of the channels that are read."""
    return {channel: name for name in settings.step_inputs for channel in settings.columns.get(name, ())}


def _values(settings: Settings, outcomes: Columns, name: str, scratch: Path | None) -> Numbers | Labels:
    """A column or several of the second table; an empty cell of a target is unknown."""
    columns, kind = settings.columns[name], {**settings.inputs, **settings.targets}[name]
    if kind == "static_categories":
        return Labels(scratch, side_by_side(outcomes.coded_blocks(column, None) for column in columns))
    if kind == "class":
        return Labels(scratch, outcomes.coded_blocks(columns[0], None))
    part, other = ("inputs", "static_categories") if name in settings.inputs else ("targets", "class")
    need = f"data.{part}.{name} has kind {kind}, which needs numbers; if these are names, choose {other}."
    holes = name in settings.targets or settings.missing_numbers is not None
    return Numbers(scratch, outcomes.number_blocks(columns, need, holes=holes))


class _Series:
    """The steps of all series, on disk, and what stands beside them."""

    def __init__(self, settings: Settings, events: Events, order: Sequence[int | None], beside: Mapping[str, Any],
                 channels: list[str], scratch: Path | None) -> None:
        self._settings, self._others, self._beside = settings, events.others, beside
        self._places = {name: [1 + channels.index(channel) for channel in settings.columns[name]]
                        for name in settings.step_inputs if settings.inputs[name] != "gap"}
        self._late = self._repeated = self._empty = 0
        self._ends = array("q", [0])
        self._rows = Numbers(scratch, self._blocks(events, order))

    def _blocks(self, events: Events, order: Sequence[int | None]) -> Iterator[NDArray[np.float64]]:
        """(T, 1 + C) of each series: the time since the step before, and the channels."""
        for at in order:
            steps = events.steps(at)
            self._late, self._repeated = self._late + steps.late, self._repeated + steps.repeated
            self._empty += bool(np.isnan(steps.values).all())
            self._ends.append(self._ends[-1] + len(steps.values))
            yield np.concatenate([steps.gaps, steps.values], axis=1)

    def piece(self, at: int) -> Piece:
        rows = self._rows[self._ends[at] : self._ends[at + 1]]
        piece: Piece = {}
        for name, kind in {**self._settings.targets, **self._settings.inputs}.items():
            if name in self._beside:
                piece[name] = str(self._beside[name][at]) if kind == "class" else self._beside[name][at]
            else:
                piece[name] = rows[:, :1] if kind == "gap" else rows[:, self._places[name]]
        return piece

    def notes(self) -> Iterator[str]:
        """How many events and series there are of what a user should know of."""
        until, several = self._settings.until, self._settings.several
        if self._late:
            yield f"{self._late:,} events are later than {until!r} and not read"
        if self._empty:
            yield (f"{self._empty:,} of {len(self._ends) - 1:,} series have no event that is read, but a step without "
                   "values")
        if self._repeated:
            step = "time" if self._settings.bin is None else "bin"
            yield (f"{self._repeated:,} events share series, {step} and channel with others; of these "
                   f"{'the last one counts' if several == 'last' else 'the mean counts'}")
        for number, (name, count) in enumerate(sorted(self._others.items(), key=lambda pair: -pair[1])):
            if number == 5:
                yield f"nor are {len(self._others) - 5:,} other channels"
                break
            yield f"channel {name!r} is not read: {count:,} events"
