"""An archive of arrays → a draft: what each array is follows from its name, shape and values, or from the options."""

from pathlib import Path
from typing import Any

from unroll.base.errors import UserError
from unroll.commands.init import array_inputs, array_targets
from unroll.commands.init.archive import Archive
from unroll.commands.init.array_inputs import find_inputs
from unroll.commands.init.array_targets import find_targets
from unroll.commands.init.draft import Draft, Options, Place, known, report
from unroll.commands.init.inputs import Read
from unroll.commands.init.missing_values import find_missing
from unroll.commands.init.model import encoder, field_names, head, set_monitor
from unroll.commands.init.read_archive import read_archive
from unroll.commands.init.targets import Wanted
from unroll.config.data import FUTURE

# kind of the only target → its field and the file of conf/task, where the only input are numbers of steps
TASKS = {"class": ("label", "classify"), "tag": ("tag", "tag"), "value": ("y", "regress"),
         "values": ("y", "regress_steps"), "next": ("x", "next_value"), "next_labels": ("x", "next_labels")}


def draft_arrays(place: Place, file: Path, options: Options) -> Draft:
    if options.task in ("language", "forecast"):
        raise UserError("conflict", f"--task {options.task}", "arrays of sequences have classes or values. Give text "
                        "or a table.")
    for name, kind in options.kinds:
        known(kind, (*array_inputs.WORDS, *array_targets.WORDS, "none"), f"--kind {name}={kind}")
    archive = read_archive(file, options)
    targets = find_targets(archive, options)
    reads = find_inputs(archive, targets, options)
    if not any(read.kind in ("real", "categories") for read in reads):
        raise UserError("missing-value", "--input", "no array of steps, (n, T, F) or (n, T), is left to read. Name "
                        "one: --input ARRAY.")
    if "test" not in archive.main.splits:
        report("test", f"no {archive.main.name}_test: a share of {archive.main.splits['train']} is held out", "test in "
               "conf/data")
    draft = _draft(place, archive, reads, targets)
    draft.data["missing"] = find_missing([read.column for read in reads], options)
    return draft


def _draft(place: Place, archive: Archive, reads: list[Read], targets: list[Wanted]) -> Draft:
    """A file of conf/task where one fits, else a model of its own."""
    alone = len(targets) == len(reads) == 1 and reads[0].kind == "real" and targets[0].kind in TASKS
    inputs, predicted = (["x"], [TASKS[targets[0].kind][0]]) if alone else _names(reads, targets)
    fields = dict(zip(inputs, reads, strict=True))
    heads = {name: target.kind for name, target in zip(predicted, targets, strict=True)}
    names = {name: read.column.name for name, read in fields.items()}
    names |= {name: target.column.name for name, target in zip(predicted, targets, strict=True)
              if target.kind not in FUTURE}
    test = None if "test" in archive.main.splits else 0.15
    data: dict[str, Any] = {
        "kind": "npz", "path": place.path, "inputs": {name: read.kind for name, read in fields.items()},
        "targets": heads, "arrays": names, "scale": "standard", "missing": "refuse",
        "validation": 0.15, "test": test, "seed": 1,
        "licence": "not stated",
    }
    about = f"Arrays: {', '.join(target.column.name for target in targets)}."
    draft = Draft(about, data, TASKS[targets[0].kind][1] if alone else "fields", [archive.file])
    if not alone:
        # the next category is predicted as the class of a step is
        kinds = {name: "tag" if kind == "next" and fields[name].kind == "categories" else kind
                 for name, kind in heads.items()}
        draft.overrides["model"] = {"inputs": {name: encoder([read]) for name, read in fields.items()},
                                    "heads": {name: head(kind) for name, kind in kinds.items()}}
        set_monitor(draft, kinds)
    return draft


def _names(reads: list[Read], targets: list[Wanted]) -> tuple[list[str], list[str]]:
    """Those of the inputs, and of the targets; what predicts an input's future has its name."""
    inputs = field_names([read.column.name for read in reads], [], "x", "array")
    own = [target.column.name for target in targets if target.kind not in FUTURE]
    names = iter(field_names(own, inputs, "y", "array"))
    of = {read.column.name: name for name, read in zip(inputs, reads, strict=True)}
    return inputs, [of[target.column.name] if target.kind in FUTURE else next(names) for target in targets]
