"""Columns that are read and predicted → section `data`, and the encoders and heads of section `model`."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from unroll.commands.init.draft import Draft, report
from unroll.commands.init.inputs import Read
from unroll.commands.init.table import Table
from unroll.commands.init.targets import Wanted

FIELDS = {"tokens": "text", "real": "x", "categories": "categories", "static_real": "static",
          "static_categories": "static_categories", "context_real": "context"}     # kind of input → its field
# kind of the only target → its field and the file of conf/task, where the only input is text or numbers
TASKS = {"class": ("label", "classify"), "tag": ("tag", "tag"), "value": ("y", "regress"),
         "values": ("y", "regress_steps")}
LARGEST = 16        # numbers of a category's vector


def draft_fields(table: Table, reads: Sequence[Read], targets: Sequence[Wanted], about: str,
                 tokenizer: str | None) -> Draft:
    """A file of conf/task where one fits, else a model of its own."""
    fields = _fields(reads)
    inputs = {name: field[0].kind for name, field in fields.items()}
    columns = {name: [read.column.name for read in field] for name, field in fields.items()}
    text = "text" in inputs
    alone = len(targets) == len(inputs) == 1
    if alone and inputs.keys() <= {"x", "text"} and not (text and targets[0].kind == "values"):
        name, task = TASKS[targets[0].kind]
        data = table.data(inputs, {name: targets[0].kind}, {**columns, name: [targets[0].column.name]})
        return Draft(about, data, f"{task}_text" if text else task, table.files, tokenizer)
    names = _names([target.column.name for target in targets], [*inputs], "y")
    predicted = {name: target.kind for name, target in zip(names, targets, strict=True)}
    columns |= {name: [target.column.name] for name, target in zip(names, targets, strict=True)}
    draft = Draft(about, table.data(inputs, predicted, columns), "fields", table.files, tokenizer)
    draft.overrides["model"] = {
        "inputs": {name: _encoder(field) for name, field in fields.items()},
        "heads": {name: _head(kind, text) for name, kind in predicted.items()},
    }
    _monitor(draft, predicted)
    return draft


def draft_language(table: Table, reads: Sequence[Read]) -> Draft:
    """A model that writes texts, for what else is read where there is something."""
    fields = _fields(reads, apart=True)
    data = table.data({name: field[0].kind for name, field in fields.items()}, {"text": "next"},
                      {name: [read.column.name for read in field] for name, field in fields.items()})
    draft = Draft("Texts of a table, symbol by symbol.", data, "language", table.files, "char", "default",
                  {"generate": {"prompts": [""]}})
    if len(fields) > 1:
        draft.task = "fields"
        draft.overrides["model"] = {"inputs": {name: _encoder(field) for name, field in fields.items()},
                                    "heads": {"text": {"kind": "next_token", "dropout": 0.2, "tied": False}}}
    return draft


def _fields(reads: Sequence[Read], apart: bool = False) -> dict[str, list[Read]]:
    """The columns of each input: those of one kind together, and named after its column one that is alone.

    Other texts are inputs of their own, and with `apart` so is what else stands beside the steps.
    """
    fields: dict[str, list[Read]] = {}
    alone: list[Read] = []
    for kind in dict.fromkeys((*FIELDS, *(read.kind for read in reads))):
        found = [read for read in reads if read.kind == kind]
        if kind in ("tokens", "real") or not (apart or kind == "context_tokens" or len(found) == 1):
            fields |= {FIELDS[kind]: found} if found else {}
        else:
            alone += found
    names = _names([read.column.name for read in alone], [*FIELDS.values()], "field")
    return fields | {name: [read] for name, read in zip(names, alone, strict=True)}


def _names(columns: Sequence[str], taken: list[str], prefix: str) -> list[str]:
    """Names of fields after their columns: small letters, digits and _, each once."""
    names: list[str] = []
    for column in columns:
        plain = unicodedata.normalize("NFKD", column.casefold()).encode("ascii", "ignore").decode()
        name = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")
        name = name if re.match(r"[a-z]", name) else f"{prefix}_{name}".strip("_")
        number = 2
        while name in (*taken, *names):
            name = f"{re.sub(r'_[0-9]+$', '', name)}_{number}"
            number += 1
        names.append(name)
        if name != column:
            report("name", f"the column {column!r} is the field {name!r}", "in conf/data and conf/experiment alike")
    return names


def _encoder(reads: Sequence[Read]) -> dict[str, Any]:
    most = max(read.column.distinct for read in reads)
    size = max(2, min(LARGEST, (most + 1) // 2))
    encoders: dict[str, dict[str, Any]] = {
        "tokens": {"kind": "embedding", "size": 64, "dropout": 0.0},
        "real": {"kind": "real", "size": None, "dropout": 0.0},
        "categories": {"kind": "category", "size": size, "dropout": 0.0},
        "static_real": {"kind": "static", "size": None, "dropout": 0.0, "joins": "steps"},
        "static_categories": {"kind": "static_category", "size": size, "dropout": 0.0, "joins": "steps"},
        "context_tokens": {"kind": "context_text", "size": 64, "core": None, "pooling": "mean", "dropout": 0.0,
                           "joins": "steps"},
        "context_real": {"kind": "context_series", "size": None, "core": None, "pooling": "mean", "dropout": 0.0,
                         "joins": "steps"},
    }
    return encoders[reads[0].kind]


def _head(kind: str, text: bool) -> dict[str, Any]:
    pooling = None if kind in ("tag", "values") else "mean" if text else "last"
    dropout = 0.2 if text and pooling else 0.0
    if kind in ("class", "tag"):
        return {"kind": "classification", "loss": "cross_entropy", "pooling": pooling, "dropout": dropout}
    return {"kind": "regression", "loss": "squared_error", "pooling": pooling, "dropout": dropout}


def _monitor(draft: Draft, predicted: dict[str, str]) -> None:
    """Losses of classes and of values do not add up, so that one of them chooses the best weights: the first."""
    numbers = [kind in ("value", "values") for kind in predicted.values()]
    if len({*numbers}) == 1:
        return
    first = next(iter(predicted))
    draft.overrides["train"] = {"monitor": f"{first}/loss"}
    others = ", ".join(f"{name}/{'loss' if kind in ('value', 'values') else 'macro_f1'}"
                       for name, kind in predicted.items())
    draft.notes["monitor"] = f"what the best weights are chosen by; or {others}"
    report("monitor", f"the best weights are those of the lowest loss of {first!r}, the first target", "train.monitor")
