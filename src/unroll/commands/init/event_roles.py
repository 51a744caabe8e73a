"""Which columns of a table of events are the series, the time, the channel and the value."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from unroll.base.errors import UserError
from unroll.commands.init.columns import Column
from unroll.commands.init.draft import Options, known, report
from unroll.commands.init.questions import Undecided, only_one
from unroll.commands.init.time_names import has_time_name

VALUE = re.compile(r"(.*[_ .])?(value|val|result|measurement|reading|amount|number|valuenum|x|y)s?(_?num(ber)?)?", re.I)


class EventRoles(NamedTuple):
    series: Column
    time: Column
    channel: Column
    value: Column | None


def find_event_roles(columns: Sequence[Column], facts: Sequence[Column], options: Options) -> EventRoles:
    """By the options or by what the columns hold; `facts` are those of the table with a row a series."""
    named = {column.name: column for column in columns if options.kind_of(column.name) != "none"}
    series = named[_series(named, facts, options)]
    rest = {name: column for name, column in named.items() if column is not series}
    time = rest.pop(_time(rest, options))
    channel = rest.pop(_channel(rest, options))
    rows = len(channel.values)
    numbers = [name for name, column in rest.items() if column.kind == "number" and not (
        column.whole and column.distinct == rows)]      # which numbers the rows
    likely = [name for name in numbers if VALUE.fullmatch(name.strip())] or numbers
    if len(likely) > 1:
        raise Undecided("--kind", f"{', '.join(map(repr, likely))} may be the value of an event. Leave others out: "
                        f"--kind {likely[1]}=none.", [("--kind", (name, "none")) for name in likely])
    value = rest.pop(likely[0]) if likely else None
    report("series", f"{series.name!r}: {series.distinct:,} have events", "--series COLUMN")
    report("time", f"{time.name!r}", "--time COLUMN")
    report("value", "none: an event is 1" if value is None else f"{value.name!r}", "--kind COLUMN=none")
    if rest:
        report("left out", ", ".join(map(repr, rest)))
    return EventRoles(series, time, channel, value)


def _series(named: dict[str, Column], facts: Sequence[Column], options: Options) -> str:
    if options.series not in (None, "none"):
        for columns in (named, [column.name for column in facts]):
            known(options.series or "", columns, "--series")
        return options.series or ""
    shared = [column.name for column in facts if column.name in named and not column.missing
              and column.distinct == len(column.values)]
    names = {column.name for column in facts}
    both = [name for name in shared if {*named[name].labels.tolist()} <= {
        *next(column for column in facts if column.name == name).labels.tolist()}] or shared
    name = only_one(both, "--series")
    if name is None:
        common = ", ".join(map(repr, [name for name in named if name in names])) or "none"
        raise UserError("missing-value", "--series", "no column of both tables says whose an event and whose a row is: "
                        f"in the second it has to be another one in each row (shared columns: {common}). Name it so in "
                        "both.")
    return name


def _time(rest: dict[str, Column], options: Options) -> str:
    if options.time is not None:
        return known(options.time, rest, "--time")
    times = [name for name, column in rest.items() if column.kind == "time"] or [
        name for name, column in rest.items() if column.kind == "number" and has_time_name(name.rstrip("s"))]
    name = only_one(times, "--time")
    if name is None:
        raise UserError("missing-value", "--time", "no column looks like the time of an event. Name it: --time COLUMN.")
    return name


def _channel(rest: dict[str, Column], options: Options) -> str:
    if options.channel is not None:
        return known(options.channel, rest, "--channel")
    texts = [name for name, column in rest.items()
             if column.kind == "text" and column.distinct <= len(column.values) / 2]
    name = only_one(texts, "--channel")
    if name is None:
        raise UserError("missing-value", "--channel", "no column of names says what was measured. Name it: --channel "
                        "COLUMN.")
    return name
