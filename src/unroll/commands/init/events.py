"""A long table of events, and one with a row a series → a draft."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from unroll.base.errors import UserError
from unroll.commands.init.columns import Column, find_columns, refuse_stray_cells
from unroll.commands.init.draft import Draft, Options, Place, report
from unroll.commands.init.event_roles import EventRoles, find_event_roles
from unroll.commands.init.inputs import Read, find_inputs
from unroll.commands.init.model import encoder, field_names, head, set_monitor
from unroll.commands.init.order import SERIES
from unroll.commands.init.questions import Undecided
from unroll.commands.init.reading import find_reading
from unroll.commands.init.roles import Roles
from unroll.commands.init.targets import Wanted, describe, find_targets, report_targets
from unroll.data.spec import Reading
from unroll.readers.common.columns import Columns
from unroll.readers.common.tables import column_names, read_parts

MOST = 100          # channels that are read: those with the most events
OPTIONS = ("outcomes", "until", "channel", "task", "targets", "inputs", "kinds", "time", "time_format", "missing",
           "na_values", "series", "delimiter", "decimal", "encoding", "header", "skip", "comment", "units", "thousands",
           "sheet")


def two_tables(place: Place, files: list[Path]) -> tuple[Place, Path, Path] | None:
    """The place and the file of the larger of two tables, and the other file; None unless they share a column.

    Each must also have a column that the other lacks.
    """
    if len(files) != 2:
        return None
    try:
        names = [{*column_names(file, Reading())} for file in files]
    except UserError:       # written in another way, which is found out later
        return None
    if names[0] <= names[1] or names[1] <= names[0] or not names[0] & names[1]:
        return None
    outcomes, events = sorted(files, key=lambda file: file.stat().st_size)
    report("two tables", f"{events.name} as events, {outcomes.name} as a row a series", "--from EVENTS --outcomes FILE")
    path = f"{place.path}/{events.relative_to(place.origin).as_posix()}"
    return replace(place, origin=events, path=path), events, outcomes


def draft_events(place: Place, file: Path, outcomes: Path, options: Options) -> Draft:
    options.only("a table of events", *OPTIONS)
    reading = find_reading([file], options).model_copy(update={"na_values": options.marks})
    events, beside = (read_parts([each], reading) for each in (file, outcomes))
    report("events", f"{len(events[0].table):,} rows")
    columns = find_columns(events, options.time, options.time_format)
    refuse_stray_cells(columns, options, SERIES)
    report("outcomes", f"{len(beside[0].table):,} rows")
    facts = find_columns(beside)
    roles = find_event_roles(columns, facts, options)
    series = next(column for column in facts if column.name == roles.series.name)
    table = Roles({column.name: column for column in facts}, Columns(beside).where, series=series,
                  codes=np.arange(len(series.values)), apart=True)
    targets = [describe(column, table, options) for column in find_targets(table, options)]
    if not targets:
        names = [column.name for column in table.free()]
        raise Undecided("--target", f"which column of {outcomes.name} is predicted? Name it: one of "
                        f"{', '.join(map(repr, names))}.", [("--target", name) for name in names])
    report_targets(targets, table)
    reads = find_inputs(table, targets, options)
    return _draft(place, file, outcomes, reading, roles, targets, reads, options)


def _draft(place: Place, file: Path, outcomes: Path, reading: Reading, roles: EventRoles, targets: list[Wanted],
           reads: list[Read], options: Options) -> Draft:
    fields: dict[str, list[Read]] = {}
    for read in reads:
        fields.setdefault("facts" if read.kind == "static_real" else "names", []).append(read)
    names = field_names([target.column.name for target in targets], ["x", "gap", *fields], "y")
    predicted = {name: target.kind for name, target in zip(names, targets, strict=True)}
    inputs = {"x": "real", "gap": "gap", **{name: own[0].kind for name, own in fields.items()}}
    data: dict[str, Any] = {
        "kind": "events", "path": place.path, "outcomes": _below(place, outcomes), "delimiter": reading.delimiter,
        "decimal": reading.decimal, "encoding": reading.encoding, "header": reading.header, "skip": reading.skip,
        "comment": reading.comment, "units": reading.units, "thousands": reading.thousands, "sheet": reading.sheet,
        "series": roles.series.name, "time": roles.time.name,
        "time_format": roles.time.forms[0] if roles.time.forms else None,
        "channel": roles.channel.name, "value": None if roles.value is None else roles.value.name,
        "columns": {"x": _channels(roles.channel),
                    **{name: [read.column.name for read in own] for name, own in fields.items()},
                    **{name: [target.column.name] for name, target in zip(names, targets, strict=True)}},
        "bin": None, "several": "mean", "until": _until(roles.time, options), "group": None, "inputs": inputs,
        "targets": predicted, "scale": "standard", "missing": options.missing or "mask",
        "na_values": list(reading.na_values), "validation": 0.15, "test": 0.15, "seed": 1, "licence": "not stated",
    }
    about = f"Events of {file.name}, and what {outcomes.name} says of each series."
    draft = Draft(about, data, "fields", [file, outcomes])
    steps = {"kind": "real", "size": None, "dropout": 0.0}
    draft.overrides["model"] = {
        "inputs": {"x": steps, "gap": steps, **{name: encoder(own) for name, own in fields.items()}},
        "heads": {name: head(kind) for name, kind in predicted.items()}}
    set_monitor(draft, predicted)
    return draft


def _below(place: Place, outcomes: Path) -> str:
    """The path of the second table in the configuration."""
    if place.copied:
        top = place.origin.parent
        inside = outcomes.relative_to(top).as_posix() if outcomes.is_relative_to(top) else outcomes.name
        return f"{place.folder}/{inside}"
    raw = place.origin.absolute()
    while raw.parts[-2:] != ("data", "raw"):
        raw = raw.parent
    if not outcomes.absolute().is_relative_to(raw):
        raise UserError("unsupported", "--outcomes", f"{outcomes} is not below data/raw, as the events are. Copy it "
                        "there.")
    return f"data/raw/{outcomes.absolute().relative_to(raw).as_posix()}"


def _channels(column: Column) -> list[str]:
    """The channels that are read, those with the most events first."""
    counts = pd.Series(column.labels[column.codes >= 0]).value_counts(sort=True)
    names = sorted(counts.index, key=lambda name: (-counts[name], name))
    left = f"; {len(names) - MOST:,} rarer ones are left out" if len(names) > MOST else ""
    report("channels", f"{len(names):,} of {column.name!r}: {', '.join(names[:8])}{', …' * (len(names) > 8)}{left}",
           "columns.x in conf/data")
    return names[:MOST]


def _until(time: Column, options: Options) -> float | str | None:
    """Where series end."""
    if options.until not in (None, "none"):
        number = time.kind == "number" and re.fullmatch(r"[+-]?\d+(\.\d+)?", options.until or "")
        return float(options.until or "") if number else options.until
    if options.until is None and time.kind == "number" and time.present.min() < 0 < time.present.max():
        raise Undecided("--until", f"{time.name!r} is from {time.present.min():g} to "
                        f"{time.present.max():g}: what happens after 0 may tell what is predicted. Choose "
                        "--until 0, so that later events are not read, or --until none.",
                        [("--until", "0"), ("--until", "none")])
    report("until", "all events are read; if what is predicted happens before the last of them, end them earlier",
           "--until TIME")
    return None
