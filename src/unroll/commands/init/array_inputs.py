"""Which arrays are read, and as what: numbers or categories, of steps, of sequences or on an axis of their own."""

import shlex
from collections.abc import Sequence

import numpy as np

from unroll.commands.init.archive import Archive, Array
from unroll.commands.init.array_targets import is_counted
from unroll.commands.init.draft import Options, report
from unroll.commands.init.inputs import Read, few, identifies, of_codes
from unroll.commands.init.questions import Undecided
from unroll.commands.init.targets import Wanted, gives_away
from unroll.config.data import FUTURE

WORDS = {"real": "{numbers} at each of {steps} steps", "categories": "{names} at each of {steps} steps",
         "static_real": "{numbers} of each sequence", "static_categories": "{names} of each sequence",
         "context_real": "another series beside each, of {numbers} at each of {steps} steps",
         "context_categories": "another sequence beside each, {names} at each of {steps} steps"}


def find_inputs(archive: Archive, targets: Sequence[Wanted], options: Options) -> list[Read]:
    """Every array that is read, that with the steps first; reports each, and those left out with the reason.

    Raises `UserError` where an array may be several things, or has no value somewhere.
    """
    found: list[Read] = []
    wanted = {target.column.name: target.kind for target in targets}
    for name in sorted(archive.arrays, key=lambda name: name != archive.main.name):
        column, asked = archive.columns[name], options.kind_of(name)
        reason = None if name in options.inputs else _reason(archive, archive.arrays[name], targets)
        if wanted.get(name) in FUTURE:
            symbols = asked == "categories" or column.kind == "text"
            found.append(Read(column, "categories" if symbols else "real"))
        elif name in wanted:
            continue
        elif asked is not None:
            found.append(Read(column, asked))
        elif options.inputs and name not in options.inputs:
            archive.leave(name)
        elif reason is not None:
            archive.leave(name, reason)
        elif (kind := _kind(archive, archive.arrays[name])) is not None:
            found.append(Read(column, kind))
        else:
            archive.leave(name, "too many different texts for categories")
    _refuse_counted(archive, [read for read in found if options.kind_of(read.column.name) in (None, "next")])
    _report(archive, found)
    return found


def _reason(archive: Archive, array: Array, targets: Sequence[Wanted]) -> str | None:
    """Why an array is not read, unless the options ask for it."""
    column = archive.columns[array.name]
    if not column.distinct:
        return "no values"
    if column.distinct == 1 and not column.missing and array is not archive.main:
        return "the same everywhere"
    if any(len(column.values) == len(target.column.values) and gives_away(column, target) for target in targets):
        return "goes one to one with what is predicted"
    if int(np.prod(array.shape)) == array.shape[0] and identifies(column, array.shape[0]):
        return "another name of each sequence"
    return None


def _own_axis(archive: Archive, array: Array) -> bool:
    return array.name in archive.own or (len(array.shape) == 3 and not archive.per_step(array))


def _kind(archive: Archive, array: Array) -> str | None:
    """None: texts of too many different values."""
    column, steps = archive.columns[array.name], archive.per_step(array) or array is archive.main
    own = _own_axis(archive, array)
    prefix = "context_" if own else "" if steps else "static_"
    repeated = few(column, len(column.present) if steps or own else array.shape[0])
    if column.kind == "text":
        return f"{prefix}categories" if repeated else None
    return f"{prefix}categories" if repeated and of_codes(column) else f"{prefix}real"


def _refuse_counted(archive: Archive, found: Sequence[Read]) -> None:
    """Raise where the whole numbers of steps may be symbols, and so no amounts; other such numbers are reported."""
    arrays = archive.arrays
    whole = [read.column for read in found if read.kind in ("real", "static_real") and read.column.whole
             and read.column.distinct > 2]
    counted = [column for column in whole if is_counted(column) and archive.per_step(arrays[column.name])
               and arrays[column.name].dtype.kind in "iu"]
    if counted:
        which = ", ".join(f"{column.name!r} ({column.present.min():g} to {column.present.max():g})"
                          for column in counted)
        ways = ", ".join(f"--kind {shlex.quote(column.name)}=real or categories" for column in counted)
        raise Undecided("--kind", f"{which}: amounts, or the numbers of symbols? Choose {ways}.",
                        [("--kind", (counted[0].name, kind)) for kind in ("real", "categories")])
    for column in [column for column in whole if column.distinct <= 20][:3]:
        kind = "categories" if archive.per_step(arrays[column.name]) else "static_categories"
        report("numbers", f"{column.name!r} has {column.distinct} different whole numbers, read as amounts; if they "
               "are codes:", f"--kind {shlex.quote(column.name)}={kind}")


def _report(archive: Archive, found: Sequence[Read]) -> None:
    for read in found:
        array = archive.arrays[read.column.name]
        width, steps = archive.width(array), array.shape[1] if len(array.shape) > 1 else 1
        numbers, names = ("a number", "one of few names") if width == 1 else (f"{width} numbers", f"{width} names")
        words = WORDS[read.kind].format(numbers=numbers, names=names, steps=steps)
        report("input", f"{array.name!r}: {words} ({read.kind})", f"--kind {shlex.quote(array.name)}=KIND")
    for reason, left in archive.left.items():
        report("left out", ", ".join(map(repr, left)) + (f": {reason}" if reason else ""), "--kind ARRAY=KIND")
