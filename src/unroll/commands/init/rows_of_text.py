"""A table with a text in each row → a draft: its classes, its values, or its own next symbol."""

import shlex
from dataclasses import replace

import numpy as np

from unroll.base.errors import UserError
from unroll.commands.init.columns import Column
from unroll.commands.init.draft import Draft, Options, report
from unroll.commands.init.fields import draft_fields, draft_language
from unroll.commands.init.inputs import Read, find_inputs
from unroll.commands.init.missing_values import find_missing
from unroll.commands.init.questions import Undecided
from unroll.commands.init.steps import find_tokenizer, task_of
from unroll.commands.init.table import Table
from unroll.commands.init.targets import describe, find_targets, report_targets


def draft_rows_of_text(table: Table, texts: list[Column], options: Options) -> Draft:
    options.only("rows of text", "task", "targets", "inputs", "kinds", "series", "delimiter", "decimal", "encoding",
                 "header", "skip", "comment", "units", "thousands", "sheet", "missing", "na_values")
    if len(texts) > 1:
        names = ", ".join(repr(column.name) for column in texts)
        raise Undecided("--input", f"{names} are texts. Name the one to read: --input {texts[0].name!r}, "
                        f"or those beside it: --kind {shlex.quote(texts[1].name)}=context_tokens.",
                        [("--input", column.name) for column in texts])
    (text,) = texts
    roles = table.roles
    del roles.columns[text.name]
    roles.codes, roles.apart = np.arange(len(text.values)), True
    wanted = options.task in (None, "classify", "regress") and bool(roles.columns)
    columns = find_targets(roles, options) if wanted else []
    if options.task in ("classify", "regress") and not columns:
        raise UserError("missing-value", "--target", "no column looks like a class. Name one: --target COLUMN, out of "
                        f"{', '.join(map(repr, roles.columns))}.")
    if not columns:
        report("task", f"language: {text.name!r}, a text per row, symbol by symbol", "--task classify --target COLUMN")
        others = dict.fromkeys([*options.inputs, *dict(options.kinds)])     # what texts are written for is asked for
        others.pop(text.name, None)
        named = replace(options, inputs=(text.name, *others))
        beside = find_inputs(roles, [], named, text)
        draft = draft_language(table, [Read(text, "tokens"), *beside])
        draft.data["missing"] = find_missing([read.column for read in beside], options)
        return draft
    targets = [describe(column, roles, options) for column in columns]
    tokenizer = find_tokenizer([str(cell) for cell in text.present[:1000]])
    report("task", ", ".join(f"{task_of(target)} {target.column.name!r}" for target in targets)
           + f" from the text {text.name!r}", "--task, --target, --input")
    report("symbols", tokenizer, "tokenizer in conf/data")
    report_targets(targets, roles)
    beside = find_inputs(roles, targets, options, text)
    about = f"{', '.join(target.column.name for target in targets)} of each {text.name}."
    draft = draft_fields(table, [Read(text, "tokens"), *beside], targets, about, tokenizer)
    draft.data["missing"] = find_missing([read.column for read in beside], options)
    return draft
