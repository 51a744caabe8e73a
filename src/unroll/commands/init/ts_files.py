"""Files of the UCR and UEA archives → a draft; a pair of _TRAIN.ts and _TEST.ts is one data set."""

from pathlib import Path

from unroll.base.errors import UserError
from unroll.commands.init.draft import Choices, Draft, Place, Say


def draft_ts(place: Place, files: list[Path], choices: Choices, say: Say) -> Draft:
    if place.given.is_file():
        files = _pair(files[0])
    train = next((file for file in files if _part(file) != "TEST"), files[0])
    others = [file for file in files if file != train]
    if len(others) > 1 or any(_part(file) != "TEST" for file in others):
        raise UserError(f"{place.given}: {len(files)} .ts files. Give one, or a pair that ends in _TRAIN.ts and "
                        "_TEST.ts.")
    facts = _header(train)
    value = facts.get("targetlabel", "").lower().startswith("true")
    if not value and not facts.get("classlabel", "").lower().startswith("true"):
        raise UserError(f"{train}: its header has neither @classLabel true nor @targetLabel true, so there is nothing "
                        "to predict. Add the line, or give a table to forecast.")
    wanted = "regress" if value else "classify"
    if choices.task not in (None, wanted):
        raise UserError(f"--task {choices.task}: the file has a {'value' if value else 'class'} for each sequence: "
                        f"--task {wanted}.")
    for name in ("problemname", "univariate", "dimensions", "equallength", "classlabel", "targetlabel"):
        if name in facts:
            say.line("header", f"@{name} {facts[name]}")
    folder = place.path if place.given.is_dir() else place.path.rsplit("/", 1)[0]
    say.line("task", f"{wanted}: {'a value' if value else 'a class'} of each sequence")
    say.line("test", f"{others[0].name}" if others else "no _TEST.ts beside it: a share is held out",
             None if others else "test in conf/data")
    data = {
        "kind": "ts", "train": f"{folder}/{train.name}", "test": f"{folder}/{others[0].name}" if others else 0.2,
        "inputs": {"x": "real"}, "targets": {"y": "value"} if value else {"label": "class"}, "scale": "standard",
        "validation": 0.15, "seed": 1, "licence": "not stated",
    }
    return Draft(f"{train.name}: {'a value' if value else 'a class'} of each sequence.", data, wanted, [train, *others])


def _part(file: Path) -> str:
    return file.stem.rpartition("_")[2].upper()


def _pair(file: Path) -> list[Path]:
    stem, _, part = file.stem.rpartition("_")
    if part.upper() not in ("TRAIN", "TEST"):
        return [file]
    pair = [file.with_name(f"{stem}_{each}{file.suffix}") for each in ("TRAIN", "TEST")]
    return [each for each in pair if each.is_file()] or [file]


def _header(file: Path) -> dict[str, str]:
    """What stands after each @, in small letters."""
    facts = {}
    with file.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            name, _, value = line.strip().partition(" ")
            if name.lower() == "@data":
                break
            if name.startswith("@"):
                facts[name[1:].lower()] = value.strip()
    return facts
