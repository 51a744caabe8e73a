"""Columns that are read and predicted → section `data`, and the encoders and heads of section `model`."""

from collections.abc import Sequence

from unroll.commands.init.draft import Draft
from unroll.commands.init.inputs import Read
from unroll.commands.init.model import encoder, field_names, head, set_monitor
from unroll.commands.init.table import Table
from unroll.commands.init.targets import Wanted

FIELDS = {"tokens": "text", "real": "x", "categories": "categories", "static_real": "static",
          "static_categories": "static_categories", "context_real": "context"}     # kind of input → its field
# kind of the only target → its field and the file of conf/task, where the only input is text or numbers
TASKS = {"class": ("label", "classify"), "tag": ("tag", "tag"), "value": ("y", "regress"),
         "values": ("y", "regress_steps")}


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
    names = field_names([target.column.name for target in targets], [*inputs], "y")
    predicted = {name: target.kind for name, target in zip(names, targets, strict=True)}
    columns |= {name: [target.column.name] for name, target in zip(names, targets, strict=True)}
    draft = Draft(about, table.data(inputs, predicted, columns), "fields", table.files, tokenizer)
    draft.overrides["model"] = {
        "inputs": {name: encoder(field) for name, field in fields.items()},
        "heads": {name: head(kind, text) for name, kind in predicted.items()},
    }
    set_monitor(draft, predicted)
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
        draft.overrides["model"] = {"inputs": {name: encoder(field) for name, field in fields.items()},
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
    names = field_names([read.column.name for read in alone], [*FIELDS.values()], "field")
    return fields | {name: [read] for name, read in zip(names, alone, strict=True)}
