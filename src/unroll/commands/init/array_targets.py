"""Which arrays are predicted, and as what, by their names, shapes, types and values."""

import shlex

import numpy as np

from unroll.base.errors import UserError
from unroll.commands.init.archive import LABEL, Archive, Array
from unroll.commands.init.columns import Column
from unroll.commands.init.draft import Options, report
from unroll.commands.init.questions import Undecided
from unroll.commands.init.targets import FEW, Wanted

WORDS = {"class": "the class of each sequence", "tag": "the class of each step", "value": "{} of each sequence",
         "values": "{} at each step", "labels": "any number of {width} labels at each step",
         "next": "the next step of what is read", "next_labels": "which labels are on at the next step"}


def find_targets(archive: Archive, options: Options) -> list[Wanted]:
    """What the options or the arrays' names say, or, of an array alone, its next step; reports each.

    Raises `UserError` where nothing shows what is predicted, or an array may be several things.
    """
    by_name = [name for name in archive.arrays if LABEL.fullmatch(name) and name != archive.main.name
               and options.kind_of(name) is None and name not in options.inputs]
    by_kind = [name for name in archive.arrays if options.kind_of(name) in WORDS]
    names = list(dict.fromkeys([*options.targets, *by_kind])) if options.targets else [
        name for name in archive.arrays if name in (*by_name, *by_kind)]
    if not names:
        named = (archive.main.name, *options.inputs, *dict(options.kinds))
        others = [name for name in archive.arrays if name not in named]
        if others:
            raise Undecided("--target", "nothing shows what is predicted. Name it, out of "
                            f"{', '.join(map(repr, others))}: --target ARRAY, again for each; or predict the next "
                            f"step: --kind {shlex.quote(archive.main.name)}=next.",
                            [*(("--target", name) for name in others), ("--kind", (archive.main.name, "next"))])
        names = [archive.main.name]
    for name in by_name:
        if name not in names:
            archive.leave(name, "by its name something that is predicted")
            del archive.arrays[name]
    wanted = [_describe(archive, archive.arrays[name], options, len(names) > 1) for name in names]
    for target in wanted:
        name, missing = target.column.name, target.column.missing
        width = archive.width(archive.arrays[name])
        words = WORDS[target.kind].format("a number" if width == 1 else f"{width} numbers", width=width)
        report("target", f"{name!r} is {words} ({target.kind})" + (f"; {missing:.1%} are unknown" if missing else ""),
               f"--target ARRAY, --kind {shlex.quote(name)}=KIND")
    return wanted


def _describe(archive: Archive, array: Array, options: Options, several: bool) -> Wanted:
    """`several`: whether there are other targets, so that --task alone does not settle what this one is."""
    column, asked, way = archive.columns[array.name], options.kind_of(array.name), f"--kind {shlex.quote(array.name)}="
    if asked in WORDS:
        return Wanted(column, str(asked))
    if array is archive.main:
        labels = archive.width(array) > 1 and _binary(column) and asked != "categories"
        return Wanted(column, "next_labels" if labels else "next")
    steps = archive.per_step(array) or len(array.shape) == 3
    if options.task == "tag" and not steps:
        raise UserError("conflict", "--task tag", f"{array.name!r} has no value for each step. Choose --task classify.")
    classes, numbers = ("tag", "values") if steps else ("class", "value")
    if options.task == "regress":
        return Wanted(column, numbers)
    kind = classes if options.task or column.kind == "text" else _of_numbers(
        archive, array, (classes, numbers), way if several else "--task")
    if kind == classes:
        _refuse_unknown(archive.where(array), column, way + kind)
    return Wanted(column, kind)


def _of_numbers(archive: Archive, array: Array, kinds: tuple[str, str], where: str) -> str:
    """What a target of numbers is, out of classes and numbers, or labels."""
    column, width, (classes, numbers) = archive.columns[array.name], archive.width(array), kinds
    if width > 1 and _binary(column):
        hot = bool((column.values.reshape(-1, width).sum(axis=1) == 1).all())
        if classes == "tag" and not hot:
            return "labels"
        what = "one-hot: if these are classes, write their numbers, argmax(axis=-1)" if hot else (
            "zeros and ones: if each says yes or no, write it as an array of its own")
        raise UserError("ambiguous", archive.where(array), f"{width} columns, {what}; if they are numbers, choose "
                        f"--kind {shlex.quote(array.name)}={numbers}.")
    if not column.whole or not column.distinct:
        return numbers
    known = len(column.present)
    few = column.distinct <= max(2, min(FEW, known // 2))
    counted = is_counted(column) and column.distinct <= known / 2       # many classes, perhaps
    if (few and (array.dtype.kind == "f" or width > 1)) or (counted and not few):
        choices = ("tag" if classes == "tag" else "classify", "regress") if where == "--task" else kinds
        apart = f" in {width} columns, where classes are an array each" if width > 1 else ""
        listed = [("--task", choice) if where == "--task" else ("--kind", (array.name, choice)) for choice in choices]
        raise Undecided(where, f"{array.splits['train']} has {column.distinct} different whole numbers"
                        f"{apart}, stored as {array.dtype}: classes or values? Choose {where}"
                        f"{' ' * (where == '--task')}{choices[0]} or {choices[1]}.", listed)
    return classes if few else numbers


def is_counted(column: Column) -> bool:
    """Whether it holds the whole numbers from 0 or 1 on, each at least once, as the numbers of classes are."""
    return bool(column.whole and column.distinct > 2 and column.present.min() in (0, 1)
                and np.ptp(column.present) + 1 == column.distinct)


def _binary(column: Column) -> bool:
    return column.kind == "number" and {*np.unique(column.present)} == {0.0, 1.0}


def _refuse_unknown(where: str, column: Column, way: str) -> None:
    """Raise on what may say that a class is not known: NA, or one negative number beside others."""
    classes = np.unique(column.present) if column.kind == "number" else np.zeros(0)
    if column.word is not None:
        found, as_unknown = repr(column.word[1]), "an empty text"
    elif len(classes) > 2 and (classes < 0).sum() == 1:
        found, as_unknown = f"{classes[0]:g}", f"NaN: np.where(y == {classes[0]:g}, np.nan, y)"
    else:
        return
    raise UserError("ambiguous", where, f"is {found} a class, or is the class unknown there? If it is unknown, write "
                    f"{as_unknown}; if it is a class, choose {way}.")
