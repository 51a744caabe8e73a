"""Which of a table's columns orders its rows, and which tells sequences apart."""

import re
import shlex
from collections.abc import Sequence

import numpy as np
import pandas as pd

from unroll.base.errors import UserError
from unroll.commands.init.columns import NAMES, Column
from unroll.commands.init.draft import Options, known, report, spread
from unroll.commands.init.questions import Undecided, only_one
from unroll.commands.init.roles import Roles, Where
from unroll.commands.init.spacing import in_zone, spacing
from unroll.commands.init.time_names import PARTS, has_time_name, is_plain
from unroll.readers.common.zones import zone_of

SERIES = re.compile(r"(.*_)?(id|series|sequence|seq|group|subject|patient|participant|trial|case|session|recording|"
                    r"record|sample|item|store|station|sensor|device|unit|sentence|document|user|entity)(_?(id|no|nr|"
                    r"name|number))?", re.I)
LABEL = re.compile(r"label|class|target|category|tag|y|sentiment|outcome|activity|event|species|state|kind|type", re.I)
DATED = re.compile(r"\d{4}|\d\D+\d")        # as nearly all ways of writing a time have
ROW_NUMBER = re.compile(r"|unnamed.*|index|row|row_?number|nr|no", re.I)


def find_roles(columns: list[Column], options: Options, where: Where) -> Roles:
    """Time and series, by the options or by what the columns hold; raises `UserError` when several are possible."""
    roles = Roles({column.name: column for column in columns}, where)
    for column in columns:
        if _numbers_rows(column) and column.name not in (
                options.time, options.series, *options.inputs, *options.targets, *dict(options.kinds)):
            report("left out", f"{column.name!r}, which numbers the rows", f"--input {column.name!r}")
            del roles.columns[column.name]
    roles.time = _time(roles, options)
    roles.series = _series(roles, options)
    if roles.series is not None:
        roles.codes, roles.apart = pd.factorize(roles.series.labels)[0], True
        report("series", f"{roles.series.name!r}: {roles.codes.max() + 1:,} sequences of {spread(roles.lengths())}",
               "--series COLUMN or none")
    if roles.time is not None:
        if options.time_zone is not None:
            roles.time = in_zone(roles.time, roles.codes, zone_of(options.time_zone))
            roles.columns[roles.time.name] = roles.time
        roles.spacing = spacing(roles.time, roles.codes)
        missing = f"; {roles.spacing.missing}" if roles.spacing.missing else ""
        report("time", f"{roles.time.name!r}, {roles.spacing.words}{missing}", "--time COLUMN or none")
    elif options.time is None:
        _refuse_unread(roles, options)
        for column in roles.free():
            if column.kind == "number" and is_plain(column.name) and not roles.constant(column):
                report("no time", f"{column.name!r} does not rise from row to row; the rows stay in their order",
                       f"--time {shlex.quote(column.name)}")
    return roles


def _numbers_rows(column: Column) -> bool:
    return (column.kind == "number" and ROW_NUMBER.fullmatch(column.name.strip()) is not None
            and bool((np.diff(column.values) == 1).all()))


def _time(roles: Roles, options: Options) -> Column | None:
    if options.time == "none":
        return None
    if options.time is not None:
        return _ordering(roles.columns[known(options.time, roles.columns, "--time")])
    taken = (*options.targets, *options.inputs, *dict(options.kinds), options.series)
    within = likely_sequences(roles, options)
    # a date that stands in all rows of a sequence is a fact about it
    times = [column.name for column in roles.columns.values() if column.kind == "time"
             and column.name not in dict(options.kinds) and (within is None or not within.constant(column))]
    if not times:       # a number may be one, by its name
        times = [name for name, column in roles.columns.items()
                 if column.kind == "number" and not column.missing and name not in taken and _is_time(column, within)]
    name = only_one(times, "--time", none=True)
    return roles.columns[name] if name is not None else None


def _is_time(column: Column, within: Roles | None) -> bool:
    """Whether numbers are times: by a name and rising within sequences; plainly named, they may be out of order."""
    if not has_time_name(column.name) or len(column.values) < 2:
        return False
    steps = np.diff(column.values) if within is None else within.steps(column)
    if len(steps) and (steps > 0).all():
        return True
    if not is_plain(column.name):
        return False
    if within is not None and len(pd.MultiIndex.from_arrays([within.codes, column.values]).unique()) == len(
            column.values):     # no value comes twice in a sequence
        return True
    mostly = 0.99 if column.name.strip().lower() in PARTS else 0.5
    return bool((steps > 0).mean() > mostly)


def _refuse_unread(roles: Roles, options: Options) -> None:
    """Raise where a column is a time by its name, and its cells are different texts like dates."""
    for column in roles.free():
        if column.kind != "text" or not has_time_name(column.name) or options.kind_of(column.name) is not None or (
                column.name in (*options.targets, *options.inputs) or column.distinct <= NAMES):
            continue
        if all(DATED.search(str(cell)) for cell in column.present):
            raise Undecided("--time-format", f"column {column.name!r} holds {str(column.present[0])!r}: a "
                            "time in no known format? Give its format, such as '%d.%m.%Y', or choose --time none.",
                            [("--time", "none")])


def _ordering(column: Column) -> Column:
    if column.kind == "text":
        if column.stray is not None:
            raise UserError("bad-time", column.stray.where, f"{column.stray.text}. Correct it, or choose --time none.")
        raise UserError("bad-time", "--time", f"column {column.name!r} holds {str(column.present[0])!r}, which is no "
                        "time in a known format. Give its format: --time-format '%d.%m.%Y', or choose --time none.")
    return column


def _series(roles: Roles, options: Options) -> Column | None:
    if options.series is not None:
        return None if options.series == "none" else roles.columns[known(options.series, roles.columns, "--series")]
    taken = (*options.targets, *options.inputs, *dict(options.kinds))
    free = [column for column in roles.free() if column.name not in taken]
    fitting = [column for column in free if tells_apart(column, roles.time)]
    named = [column.name for column in fitting if SERIES.fullmatch(column.name.strip())]
    unnamed = [column.name for column in fitting if not LABEL.fullmatch(column.name.strip())]
    needed = roles.time is not None and not (np.diff(roles.time.values) > 0).all()
    alike = [column.name for column in free if _is_named(column) and not column.missing]
    if not named and alike and roles.time is None:
        raise Undecided("--series", f"{alike[0]!r} looks like the names of sequences, but the rows of one "
                        "do not stand together. Sort them, name the column that orders them, --time COLUMN, or choose "
                        "--series none.", [("--series", "none"), *(("--time", column.name) for column in free
                                                                   if column.kind == "number")])
    # of rows out of order, the check of the data names the first
    possible = [roles.columns[name] for name in named or (alike or unnamed if needed else [])]
    # several may name the same sequences
    different = {pd.factorize(column.labels)[0].tobytes(): column.name for column in reversed(possible)}
    name = only_one([*reversed(different.values())], "--series", none=True)
    return roles.columns[name] if name is not None else None


def _is_named(column: Column) -> bool:
    """Whether its name and values are those of sequences of several rows."""
    return SERIES.fullmatch(column.name.strip()) is not None and 1 < column.distinct <= len(column.values) / 2 and (
        column.kind == "text" or column.whole)


def likely_sequences(roles: Roles, options: Options) -> Roles | None:
    """Sequences as the option has them or, of columns of such names, the finest, before the time is known."""
    if options.series == "none":
        return None
    named = [column for column in roles.columns.values() if _is_named(column) and not column.missing
             and column.name not in (*options.targets, *options.inputs, *dict(options.kinds))]
    if options.series is not None:
        named = [roles.columns[known(options.series, roles.columns, "--series")]]
    if not named:
        return None
    finest = max(named, key=lambda column: column.distinct)
    return Roles(roles.columns, roles.where, codes=pd.factorize(finest.labels)[0])


def tells_apart(column: Column, time: Column | None) -> bool:
    """Whether its values may be names of sequences, each of several rows: together, or with a time that rises."""
    if column.missing or not 1 < column.distinct <= len(column.values) / 2 or column.kind == "time" or (
            column.kind == "number" and not column.whole):
        return False
    codes = pd.factorize(column.labels)[0]
    if time is None:
        return bool((np.diff(codes) != 0).sum() == column.distinct - 1)
    order = np.argsort(codes, kind="stable")
    same = np.diff(codes[order]) == 0
    return bool((np.diff(time.values[order]) > 0)[same].all())


def check_series(roles: Roles, options: Options, targets: Sequence[Column] = ()) -> None:
    """Raises `UserError` where all rows would be one sequence, and each value of a column stands in a run of them."""
    if roles.apart or roles.time is not None or options.series is not None:
        return
    named = (*dict(options.kinds), *options.inputs, *(column.name for column in targets))
    for column in roles.free():
        if column.name not in named and tells_apart(column, None) and not LABEL.fullmatch(column.name.strip()):
            raise Undecided("--series", f"rows with the same {column.name!r} stand together: "
                            f"{column.distinct:,} sequences, or one of all rows? Choose --series "
                            f"{shlex.quote(column.name)}, or --series none.",
                            [("--series", column.name), ("--series", "none")])
