"""Which columns are predicted, and as what: a class or a value, of each sequence or of each step."""

import shlex
from dataclasses import dataclass

import numpy as np

from unroll.base.errors import UserError
from unroll.commands.init.columns import Column
from unroll.commands.init.draft import Options, known, report
from unroll.commands.init.order import LABEL
from unroll.commands.init.questions import Undecided, only_one
from unroll.commands.init.roles import Roles

FEW = 50            # more different values are hardly classes
WORDS = {"class": "the class of each sequence", "tag": "the class of each step", "value": "a value of each sequence",
         "values": "a value of each step"}


@dataclass(frozen=True)
class Wanted:
    column: Column
    kind: str       # class, tag, value or values

    @property
    def whole(self) -> bool:
        """Whether a sequence has one."""
        return self.kind in ("class", "value")


def find_targets(roles: Roles, options: Options) -> list[Column]:
    """The columns of the options, or the only one that may hold classes; none if nothing shows what is predicted."""
    named = [*options.targets, *(name for name, kind in options.kinds if kind in WORDS and name not in options.targets)]
    if named:
        return [roles.columns[known(name, roles.columns, "--target")] for name in dict.fromkeys(named)]
    name = only_one([column.name for column in _classes(roles, options)], "--target")
    return [roles.columns[name]] if name is not None else []


def _classes(roles: Roles, options: Options) -> list[Column]:
    """Columns that may hold classes: those with a name for it if there are any, else those of few texts."""
    few = [column for column in roles.free() if column.name not in (*options.inputs, *dict(options.kinds))
           and column.distinct > 1 and (column.whole or column.kind == "text")
           and column.distinct <= min(FEW, len(column.values) / 2)]
    named = [column for column in few if LABEL.fullmatch(column.name.strip())]
    return named or [column for column in few if column.kind == "text"]


def describe(column: Column, roles: Roles, options: Options) -> Wanted:
    """What a column is, by the options or its values; raises `UserError` where it may be several things."""
    asked, task, way = options.kind_of(column.name), options.task, f"--kind {shlex.quote(column.name)}="
    if not (column.codes >= 0).any():
        raise UserError("empty", roles.where(0, column.name), "empty, as the whole column is. Name another --target.")
    whole = roles.apart and roles.constant(column)
    if asked is None and task is None and roles.apart and not whole:
        other = "values" if column.kind == "number" and not _like_classes(column) else "tag"
        roles.check_strays(column, f"{way}{other}, one at each step")
    if asked in WORDS:
        if asked in ("class", "value") and not whole:
            raise _disagreement(way + asked, column, roles, "tag" if asked == "class" else "values")
        kind = asked
    else:
        task = task or find_task(column, whole, options)
        if task in ("classify", "tag") and (task == "classify") != whole:
            raise _disagreement(f"--task {task}", column, roles, task)
        kind = ("value" if whole else "values") if task == "regress" else "class" if whole else "tag"
    if kind in ("value", "values") and column.kind != "number":
        where = way + kind if asked else "--task regress"
        raise UserError("conflict", where, f"column {column.name!r} holds {column.kind}, not numbers. Choose --task "
                        f"{'classify' if whole else 'tag'}, or another --target.")
    if kind in ("class", "tag") and column.word is not None and asked is None:
        row, cell = column.word
        raise Undecided(roles.where(row, column.name), f"is {cell!r} a class, or is the class unknown? If "
                        f"it is unknown, leave the cell empty; if it is a class, choose {way}{kind}.",
                        [("--kind", (column.name, kind))])
    if kind in ("class", "tag") and asked is None:
        roles.check_spaces(column, way + kind)
    return Wanted(column, kind)


def find_task(column: Column, whole: bool, options: Options) -> str:
    """The task that the target column suggests; `whole` says whether it has one value per sequence."""
    if column.kind == "text" or (not options.targets and column.whole):
        return "classify" if whole else "tag"
    if _like_classes(column):
        several = len(options.targets) > 1
        classes = ("class" if whole else "tag") if several else "classify" if whole else "tag"
        numbers = ("value" if whole else "values") if several else "regress or forecast"
        where, choices = (f"--kind {shlex.quote(column.name)}=", f"{classes} or {numbers}") if several else (
            "--task", f"{classes}, {numbers}")
        listed = [("--kind", (column.name, classes)), ("--kind", (column.name, numbers))] if several else [
            ("--task", task) for task in (classes, "regress", "forecast")]
        raise Undecided(where, f"column {column.name!r} has {column.distinct} different whole numbers: "
                        f"classes or values? Choose {where}{'' if several else ' '}{choices}.", listed)
    return "regress"


def _like_classes(column: Column) -> bool:
    return column.whole and column.distinct <= 20


def report_targets(wanted: list[Wanted], roles: Roles) -> None:
    """A line for each target: what it is, and how much of it is known."""
    several = len(wanted) > 1
    for target in wanted:
        name = target.column.name
        report("target", f"{name!r} is {WORDS[target.kind]}{_known(target, roles)}",
               f"--kind {shlex.quote(name)}=KIND" if several else "--task, --target")


def _known(target: Wanted, roles: Roles) -> str:
    """How many are known, where not all of them are."""
    if target.whole:
        found, of, what = len(roles.firsts(target.column)[0]), int(roles.codes.max()) + 1, "sequences"
    else:
        found, of, what = int((target.column.codes >= 0).sum()), len(target.column.codes), "steps"
    noun = "a label" if target.kind in ("class", "tag") else "a value"
    return "" if found == of else f"; {found:,} of {of:,} {what} have {noun}, the others are unknown"


def gives_away(column: Column, target: Wanted) -> bool:
    """Whether a column is the target by another name: its values go one to one with the classes, or in proportion."""
    both = (column.codes >= 0) & (target.column.codes >= 0)
    ours, theirs = column.codes[both], target.column.codes[both]
    if target.kind in ("class", "tag"):
        pairs = len(np.unique(np.stack([ours, theirs]), axis=1).T)
        return bool(pairs == len(np.unique(ours)) == len(np.unique(theirs)) > 1)
    if column.kind != "number" or len(np.unique(theirs)) < 3 or len(np.unique(ours)) < 3:
        return False
    return bool(abs(np.corrcoef(column.values[both], target.column.values[both])[0, 1]) > 1 - 1e-9)


def _disagreement(where: str, column: Column, roles: Roles, asked: str) -> UserError:
    if where == "--task tag":
        return UserError("conflict", where, f"column {column.name!r} has one value in all rows of a sequence. Choose "
                         "--task classify, or another --target.")
    if not roles.apart:
        return UserError("conflict", where, "without a column that tells sequences apart the table is a single "
                         "sequence. Name that column: --series COLUMN; or predict at each row, such as --task tag.")
    row = int(roles.deviating(column)[0])
    return UserError("conflict", where, f"column {column.name!r} changes within a sequence, first at "
                     f"{roles.where(row, column.name)}. Choose "
                     f"{'--task tag' if asked == 'classify' else asked}, another --target, or another --series.")
