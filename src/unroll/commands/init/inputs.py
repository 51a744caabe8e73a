"""Which columns are read, and as what: numbers or categories, of each step or of a whole sequence."""

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from unroll.commands.init.columns import Column
from unroll.commands.init.draft import Options, known, report
from unroll.commands.init.order import ROW_NUMBER, SERIES
from unroll.commands.init.questions import Undecided
from unroll.commands.init.roles import Roles
from unroll.commands.init.targets import FEW, Wanted, gives_away

# kind of input → how many values a column has, in words
WORDS = {
    "tokens": "text, symbol by symbol", "real": "a number at each step",
    "categories": "one of few names at each step", "static_real": "a number of each sequence, equal in all of its rows",
    "static_categories": "one of few names for each sequence, equal in all of its rows",
    "context_tokens": "another text of each sequence", "context_real": "another series of each sequence",
    "context_categories": "another sequence of names of each",
}
ROW_WORDS = {"tokens": WORDS["tokens"], "static_real": "a number beside each text",
             "static_categories": "one of few names beside each text", "context_tokens": "another text beside each",
             "context_real": "a series beside each text", "context_categories": "names beside each text"}
CODE = re.compile(r"(.*[_ ])?(code|type|kind|class|category|cat)|.*[a-z](Code|Type|Kind|Class|Category)", re.I)
NAME = re.compile(r"(.*[_ ])?(id|uuid|key|code|nr|no|number|zip|postcode|phone)|.*[a-z](Id|ID)")


@dataclass(frozen=True)
class Read:
    column: Column
    kind: str       # of input


def find_inputs(roles: Roles, targets: Sequence[Wanted], options: Options, text: Column | None = None) -> list[Read]:
    """Every column that is read, beside the `text` of each row; reports each, and those left out with the reason.

    Raises `UserError` where a column may be several things.
    """
    wanted = [target.column for target in targets]
    named = [roles.columns[known(name, roles.columns, "--input")] for name in options.inputs
             if text is None or name != text.name]
    found: list[Read] = []
    left: dict[str, list[str]] = {}
    texts = []
    for column in named if options.inputs else [column for column in roles.free() if column not in wanted]:
        asked = options.kind_of(column.name)
        reason = None if asked or column in named else _reason(column, roles, targets)
        if asked not in (None, "none"):
            found.append(Read(column, str(asked)))
        elif asked == "none" or reason is not None:
            left.setdefault(reason or "", []).append(column.name)
        elif column.kind == "text" and roles.apart and not roles.constant(column):
            texts.append(column)
        else:
            kind = _kind(column, roles)
            if kind in ("categories", "static_categories"):
                roles.check_spaces(column, f"--kind {shlex.quote(column.name)}={kind}")
            found.append(Read(column, kind)) if kind else left.setdefault(_many(column, roles), []).append(column.name)
    found += _texts(texts, found, roles, options, left)
    order = list(roles.columns)
    found.sort(key=lambda read: order.index(read.column.name))
    if options.inputs:
        left.setdefault("", []).extend(column.name for column in roles.free() if column not in (*named, *wanted))
    _report(found, left, roles)
    return found


def _reason(column: Column, roles: Roles, targets: Sequence[Wanted]) -> str | None:
    """Why a column is not read, unless the options ask for it."""
    if not column.distinct:
        return "no values"
    if column.distinct == 1 and not column.missing:
        return "the same in all rows"
    if column.kind == "time":
        return "times, which are not read"
    if any(gives_away(column, target) for target in targets):
        return "goes one to one with what is predicted"
    if roles.series and column.kind == "number" and len(steps := roles.steps(column)) and (steps == 1).all():
        return "counts the steps of each sequence"
    static = roles.apart and roles.constant(column)
    if static and identifies(column, int(roles.codes.max()) + 1):
        return "another name of each sequence"
    if column.kind == "number" and column.whole and NAME.fullmatch(column.name.strip()) and not _few(column, roles):
        return "by its name, codes rather than numbers, and too many for categories"
    return None


def identifies(column: Column, sequences: int) -> bool:
    """Whether each sequence has a value of its own that says no more than which one it is."""
    if column.distinct < max(2, sequences) or (column.kind == "number" and not column.whole):
        return False
    name = column.name.strip()
    counts = column.kind == "number" and column.present.max() - column.present.min() + 1 == column.distinct
    return counts or any(pattern.fullmatch(name) is not None for pattern in (NAME, SERIES, ROW_NUMBER))


def _few(column: Column, roles: Roles) -> bool:
    """Whether its values may be categories: several sequences, or steps, have each of them."""
    static = roles.apart and roles.constant(column)
    return few(column, int(roles.codes.max()) + 1 if static else len(column.present))


def few(column: Column, count: int) -> bool:
    return column.distinct <= min(FEW, count / 2)


def of_codes(column: Column) -> bool:
    """Whether the name of a column of whole numbers says that they are codes rather than amounts."""
    return bool(CODE.fullmatch(column.name.strip()) and column.whole and column.distinct > 2
                and min(column.present) >= 0)


def _kind(column: Column, roles: Roles) -> str | None:
    """None: a text of too many different values."""
    if roles.apart and not roles.constant(column):
        roles.check_strays(column, f"--kind {shlex.quote(column.name)}="
                           f"{'real' if column.kind == 'number' else 'categories'}, one at each step")
    static = "static_" if roles.apart and roles.constant(column) else ""
    if column.kind == "number":
        return f"{static}categories" if of_codes(column) and _few(column, roles) else f"{static}real"
    return f"{static}categories" if _few(column, roles) else None


def _texts(texts: list[Column], found: list[Read], roles: Roles, options: Options,
           left: dict[str, list[str]]) -> list[Read]:
    """Texts that change from step to step: categories beside others; alone, the words or characters of a text."""
    many = [column for column in texts if not _few(column, roles)]
    if any(read.kind in ("real", "categories", "tokens") for read in found):
        for column in many:
            left.setdefault(_many(column, roles), []).append(column.name)
        for column in texts:
            roles.check_spaces(column, f"--kind {shlex.quote(column.name)}=categories")
        return [Read(column, str(_kind(column, roles))) for column in texts if column not in many]
    if len(many) > 1:
        raise Undecided("--kind", f"{', '.join(repr(column.name) for column in many)}: only one column of "
                        f"text is read. Name it: --kind {shlex.quote(many[0].name)}=tokens.",
                        [("--kind", (column.name, "tokens")) for column in many])
    text = many or (texts if len(texts) == 1 else [])
    return [Read(column, "tokens" if column in text else str(_kind(column, roles))) for column in texts]


def _many(column: Column, roles: Roles) -> str:
    whole = roles.apart and roles.constant(column)
    if column.of_series:
        return "numbers with spaces between them" + "; context_real would read each cell as a series" * whole
    return "too many different texts for categories" + "; context_tokens would read each as a text" * whole


def _report(found: list[Read], left: dict[str, list[str]], roles: Roles) -> None:
    words = ROW_WORDS if roles.series is None and roles.apart else WORDS
    for kind in words:
        names = [read.column.name for read in found if read.kind == kind]
        if names:
            report("input", f"{_list(names)}: {words[kind]} ({kind})", "--kind COLUMN=KIND")
    for reason, names in left.items():
        if names:
            report("left out", _list(names) + (f": {reason}" if reason else ""), "--kind COLUMN=KIND")
    unsure = [read.column for read in found if read.column.kind == "number" and read.column.whole
              and read.kind in ("real", "static_real") and 2 < read.column.distinct <= 20]
    for column in unsure[:3]:
        kind = next(read.kind for read in found if read.column is column).replace("real", "categories")
        report("numbers", f"{column.name!r} has {column.distinct} different whole numbers, read as amounts; if they "
               "are codes:", f"--kind {shlex.quote(column.name)}={kind}")


def _list(names: list[str]) -> str:
    return ", ".join(map(repr, names))
