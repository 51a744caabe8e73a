"""Which columns a forecast reads beside its own past, and as what: those that options name."""

import shlex
from collections.abc import Sequence

from unroll.base.errors import UserError
from unroll.commands.init.columns import Column
from unroll.commands.init.draft import Options, known, report
from unroll.commands.init.inputs import Read, few
from unroll.commands.init.roles import Roles
from unroll.config.data import KNOWN_AHEAD, STATIC

PAST = "known up to the step before a forecast"
AHEAD = "known at the steps that are forecast, too: unroll predict --future TABLE"
WORDS = {"real": PAST, "categories": PAST, "future_real": AHEAD, "future_categories": AHEAD,
         "static_real": "of each series", "static_categories": "of each series"}


def find_beside(roles: Roles, forecast: Sequence[str], options: Options) -> list[Read]:
    """Raises `UserError` where a column cannot be read beside those that are forecast."""
    named = [known(name, roles.columns, "--input") for name in options.inputs if options.targets]
    ahead = [known(name, roles.columns, "--future") for name in options.future]
    kinds = [name for name, kind in options.kinds if kind in WORDS and name not in forecast]
    found = []
    for name in dict.fromkeys((*named, *ahead, *kinds)):
        if name in forecast and name in ahead:
            raise UserError("conflict", f"--future {name}", "it is forecast, so that it is not known ahead. Leave it "
                            "out, or name what is forecast: --target COLUMN.")
        if name not in forecast:
            found.append(Read(roles.columns[name], _kind(roles.columns[name], roles, name in ahead, options)))
    for kind, words in WORDS.items():
        if columns := [read.column.name for read in found if read.kind == kind]:
            report("input", f"{', '.join(map(repr, columns))}: {words} ({kind})", "--kind COLUMN=KIND")
    return found


def _kind(column: Column, roles: Roles, ahead: bool, options: Options) -> str:
    static = roles.apart and roles.constant(column)
    if (asked := options.kind_of(column.name)) is not None:
        if asked not in WORDS:
            raise UserError("conflict", f"--kind {column.name}={asked}", "no kind of input beside a forecast. Choose "
                            f"one of {', '.join(WORDS)}.")
        if ahead and asked not in (*KNOWN_AHEAD, *STATIC):
            asked = next(kind for kind, read in KNOWN_AHEAD.items() if read == asked)
        return asked
    if column.kind == "time":
        raise UserError("wrong-type", f"--input {column.name}", "times, which are not read. Leave it out.")
    if column.kind == "number":
        kind = "real"
    elif few(column, int(roles.codes.max()) + 1 if static else len(column.present)):
        kind = "categories"
    else:
        raise UserError("wrong-type", f"column {column.name!r}", f"{column.distinct:,} different texts, too many for "
                        f"categories. Leave it out, or choose --kind {shlex.quote(column.name)}=categories.")
    return f"static_{kind}" if static else f"future_{kind}" if ahead else kind
