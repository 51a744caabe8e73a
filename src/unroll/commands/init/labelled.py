"""Files of cases with a class or a value each → a draft; a pair of _TRAIN.ts and _TEST.ts is one data set."""

from pathlib import Path

from unroll.base.errors import UserError
from unroll.commands.init.draft import Draft, Options, Place, report
from unroll.readers import format_of
from unroll.readers.common.packed import stem_of

FACTS = ("problemname", "univariate", "dimensions", "equallength", "classlabel", "targetlabel")


def draft_labelled(place: Place, files: list[Path], options: Options) -> Draft:
    if place.origin.is_file():
        files = _pair(files[0])
    train = next((file for file in files if _part(file) != "TEST"), files[0])
    others = [file for file in files if file != train]
    if len(others) > 1 or any(_part(file) != "TEST" for file in others):
        raise UserError("ambiguous", place.origin, f"{len(files)} {train.suffix} files. Give one, or a pair that ends "
                        f"in _TRAIN{train.suffix} and _TEST{train.suffix}.")
    reader = format_of(train, "labelled")
    assert reader is not None
    facts: dict[str, str] = reader.header(train)
    value = facts.get("targetlabel", "").lower().startswith("true")
    if not value and not facts.get("classlabel", "").lower().startswith("true"):
        raise UserError("missing-value", train, "its header has neither @classLabel true nor @targetLabel true, so "
                        "there is nothing to predict. Add the line, or give a table to forecast.")
    task, what = ("regress", "a value") if value else ("classify", "a class")
    if options.task not in (None, task):
        raise UserError("conflict", f"--task {options.task}", f"the file has {what} for each sequence: --task {task}.")
    for name in FACTS:
        if name in facts:
            report("header", f"@{name} {facts[name]}")
    folder = place.path if place.origin.is_dir() else place.path.rsplit("/", 1)[0]
    report("task", f"{task}: {what} of each sequence")
    report("test", f"{others[0].name}" if others else f"no _TEST{train.suffix} beside it: a share is held out",
           None if others else "test in conf/data")
    data = {
        "kind": "ts", "train": f"{folder}/{train.name}", "test": f"{folder}/{others[0].name}" if others else 0.2,
        "inputs": {"x": "real"}, "targets": {"y": "value"} if value else {"label": "class"}, "scale": "standard",
        "missing": options.missing or "refuse", "validation": 0.15, "seed": 1, "licence": "not stated",
    }
    return Draft(f"{train.name}: {what} of each sequence.", data, task, [train, *others])


def _part(file: Path) -> str:
    return stem_of(file).rpartition("_")[2].upper()


def _pair(file: Path) -> list[Path]:
    stem, _, part = stem_of(file).rpartition("_")
    if part.upper() not in ("TRAIN", "TEST"):
        return [file]
    pair = [file.with_name(f"{stem}_{part}{file.name.removeprefix(stem_of(file))}") for part in ("TRAIN", "TEST")]
    return [path for path in pair if path.is_file()] or [file]
