"""Columns whose next step is predicted (`--kind COLUMN=next`, or `next_…`) → a draft of a model that draws rows."""

import shlex
from dataclasses import replace
from typing import Any

from unroll.base.errors import UserError
from unroll.commands.init.columns import Column
from unroll.commands.init.draft import Draft, Options, report
from unroll.commands.init.inputs import Read, find_inputs
from unroll.commands.init.missing_values import find_missing
from unroll.commands.init.model import encoder, field_names
from unroll.commands.init.order import check_series
from unroll.commands.init.questions import Undecided
from unroll.commands.init.steps import set_lanes
from unroll.commands.init.table import Table
from unroll.commands.init.targets import FEW, WORDS, Wanted

NEXT = "next"
KINDS_OF_NEXT = {NEXT: None, "next_categories": "categories", "next_real": "real"}       # → as what they are read
HEADS: dict[str, dict[str, Any]] = {
    "categories": {"kind": "classification", "loss": "cross_entropy", "pooling": None, "dropout": 0.0},
    # drawn around its mean, where a squared error would only say the mean
    "real": {"kind": "regression", "loss": "gaussian", "pooling": None, "dropout": 0.0},
}


def draft_next(table: Table, options: Options) -> Draft:
    """Text is read as categories, a number as one; of other columns those of whole sequences are read, too."""
    roles = table.roles
    check_series(roles, options)
    predicted = [(roles.columns[name], kind) for name, kind in options.kinds if kind in KINDS_OF_NEXT]
    for name, kind in options.kinds:
        if kind in WORDS:
            raise UserError("conflict", f"--kind {name}={kind}", f"{kind} beside the next step of other columns is "
                            "written by hand, see docs/tasks.md. Leave it out.")
    reads = [Read(column, _kind(column, kind, table)) for column, kind in predicted]
    report("task", f"the next {', '.join(repr(column.name) for column, _ in predicted)} of each step",
           "--kind COLUMN=next, again for each")
    others = replace(options, kinds=tuple((name, kind) for name, kind in options.kinds if kind not in KINDS_OF_NEXT))
    beside = find_inputs(roles, [Wanted(read.column, _target(read)) for read in reads], others)
    whole = [read for read in beside if read.kind.startswith("static_")]
    if len(whole) < len(beside):
        left = ", ".join(repr(read.column.name) for read in beside if read not in whole)
        report("left out", f"{left}: at each step, where nothing would be known of them when rows are drawn",
               "--kind COLUMN=next")
    names = field_names([read.column.name for read in (*reads, *whole)], [], "field")
    fields = dict(zip(names, (*reads, *whole), strict=True))
    targets = dict.fromkeys(names[: len(reads)], NEXT)
    data = table.data({name: read.kind for name, read in fields.items()}, targets,
                      {name: [read.column.name] for name, read in fields.items()})
    data["missing"] = find_missing([read.column for read in fields.values()], options)
    draft = Draft(f"The next {', '.join(targets)} of each step.", data, "fields", table.files)
    heads = {name: HEADS[fields[name].kind] for name in targets}
    draft.overrides["model"] = {"inputs": {name: encoder([read]) for name, read in fields.items()}, "heads": heads}
    if len({head["kind"] for head in heads.values()}) > 1:
        first = next(name for name in targets if fields[name].kind == "categories")
        draft.overrides["train"] = {"monitor": f"{first}/loss"}
        draft.notes["monitor"] = "what the best weights are chosen by"
    if not roles.apart:
        set_lanes(draft, int(0.7 * len(roles.codes)))
    return draft


def _target(read: Read) -> str:
    """What would give it away."""
    return "values" if read.kind == "real" else "tag"


def _kind(column: Column, asked: str, table: Table) -> str:
    """As what a column is read; raises `UserError` where whole numbers may be codes, and are too few to be sure."""
    where = f"--kind {shlex.quote(column.name)}="
    if column.kind not in ("number", "text") or (column.kind == "text" and asked == "next_real"):
        raise UserError("wrong-type", f"{where}{asked}", f"column {column.name!r} holds {column.kind}. Name columns of "
                        f"numbers{' or text' * (asked != 'next_real')}.")
    table.roles.check_spaces(column, f"{where}none")
    if asked == NEXT and column.kind == "number" and column.whole and 2 < column.distinct <= FEW:
        raise Undecided(where, f"column {column.name!r} has {column.distinct} different whole numbers: "
                        f"categories or amounts? Choose {where}next_categories or next_real.",
                        [("--kind", (column.name, kind)) for kind in ("next_categories", "next_real")])
    return KINDS_OF_NEXT[asked] or ("real" if column.kind == "number" else "categories")
