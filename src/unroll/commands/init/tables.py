"""Tables → a draft: the task follows from the columns, or from the options."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from unroll.base.errors import UserError
from unroll.commands.init.column_kinds import Column, find_kinds
from unroll.commands.init.csv_format import find_format
from unroll.commands.init.draft import Choices, Draft, Place, Say, known
from unroll.commands.init.forecasts import draft_forecast
from unroll.commands.init.roles import LABEL, SERIES, Roles, find_roles, pick_inputs, say_left_out, target
from unroll.commands.init.times import called
from unroll.data.tokenizers.word import UNSPACED
from unroll.sources.tabular import Format, read_parts

CLASSES = 20    # different cells at most that are rather names than numbers of which one is spoilt
LONG = 15       # characters of a cell, on average: rather text than a name


@dataclass(frozen=True)
class Table:
    """What has been found out of a table before its task is."""

    place: Place
    files: list[Path]
    format: Format
    roles: Roles

    def data(self, inputs: dict[str, str], targets: dict[str, str], columns: dict[str, list[str]]) -> dict[str, Any]:
        """Section `data`, every setting in it."""
        time = self.roles.time
        form = self.format
        return {
            "kind": "table", "path": self.place.path, "delimiter": form.delimiter, "decimal": form.decimal,
            "encoding": form.encoding, "header": form.header, "columns": columns,
            "series": self.roles.series.name if self.roles.series else None, "time": time.name if time else None,
            "time_format": time.forms[0] if time is not None and time.forms else None,
            "inputs": inputs, "targets": targets, "scale": "standard", "forecast": None,
            **({} if "tokens" in inputs.values() else {"tokenizer": None}),
            "validation": 0.15, "test": 0.15, "seed": 1, "licence": "not stated",
        }


def draft_table(place: Place, files: list[Path], choices: Choices, say: Say) -> Draft:
    form = find_format(files, choices, say)
    parts = read_parts(files, form)
    rows = sum(len(part.table) for part in parts)
    say.line("table", f"{rows:,} rows, {len(parts[0].table.column_names)} columns"
                      + (f" in {len(files):,} files" if len(files) > 1 else ""))
    if choices.time == "none" and choices.time_format is not None:
        raise UserError("--time-format: of a column that --time none says is none. Leave one of them out.")
    if choices.time not in (None, "none"):
        known(choices.time or "", parts[0].table.column_names, "--time")
    columns = find_kinds(parts, say, choices.time, choices.time_format)
    refuse_spoilt(columns, choices)
    texts = _texts(columns, choices)
    if texts:
        roles = Roles({each.name: each for each in columns})
        return _rows_of_text(Table(place, files, form, roles), texts, choices, say)
    roles = find_roles(columns, choices, say)
    table = Table(place, files, form, roles)
    time = roles.time
    if time is not None and len(time.forms) > 1:
        say.line("written", f"{called(time.forms[0])}; {', '.join(map(called, time.forms[1:]))} would fit, too",
                 "--time-format FORM")
    if choices.task not in (None, "forecast") and (choices.horizon or choices.season):
        raise UserError(f"--horizon, --season: are of forecasts, not of --task {choices.task}. Leave them out.")
    if choices.task == "language":
        raise UserError("--task language: no column of long texts. Say which is read: --input COLUMN.")
    if choices.task == "forecast" or (choices.task is None and _is_forecast(roles, choices)):
        return draft_forecast(table, choices, say)
    return _steps(table, choices, say)


def _texts(columns: list[Column], choices: Choices) -> list[Column]:
    """Columns of text to be read, a sequence a row: those of the options, or those whose cells are long."""
    if choices.task not in (None, "language", "classify", "regress") or choices.series not in (None, "none"):
        return []
    if choices.inputs:
        return [each for each in columns if each.name in choices.inputs and each.kind == "text"]
    texts = [each for each in columns if each.kind == "text" and each.name not in choices.targets
             and each.distinct > 2 and np.mean([len(str(cell)) for cell in each.present]) >= LONG]
    numbers = [each.name for each in columns if each.kind == "number"]
    if choices.task == "regress":
        numbers = [name for name in numbers if name not in choices.targets]
    if texts and numbers and (choices.task == "regress" or (
            choices.task is None and any(each.kind == "time" for each in columns))):
        raise UserError(f"input: the text {texts[0].name!r} of each row, or the numbers over time? Say --input "
                        f"{texts[0].name!r}, or --input {numbers[0]!r}.")
    return texts


def refuse_spoilt(columns: list[Column], choices: Choices) -> None:
    """A column of numbers or times that would be read must not go missing, or become text, for a cell that is none."""
    for each in columns:
        if each.spoilt is None or not _is_read(each, choices):
            continue
        way = ("that it is a class: --task classify or tag" if each.name in choices.targets
               else "which columns are read: --input COLUMN")
        raise UserError(f"{': '.join(each.spoilt)}. Mend it, or say {way}.")


def _is_read(column: Column, choices: Choices) -> bool:
    """Whether it would be, as numbers or a time, unless the user says what it is."""
    if column.name in choices.targets:
        return choices.task not in ("classify", "tag")
    if choices.inputs or column.name == choices.series or (choices.targets and choices.task == "forecast"):
        return False
    return column.distinct > CLASSES and not SERIES.fullmatch(column.name.strip())


def _is_forecast(roles: Roles, choices: Choices) -> bool:
    """Numbers over time and nothing that looks like a class; a horizon asks for it, too."""
    if choices.horizon is not None or choices.season is not None:
        return True
    numbers = [each for each in roles.free() if each.kind == "number"]
    if choices.targets:
        chosen = [each for each in numbers if each.name in choices.targets]
        return roles.time is not None and len(chosen) == len(choices.targets) and not any(
            (each.whole and each.distinct <= 20) or (roles.series and roles.constant(each)) for each in chosen)
    label = target(roles, choices)
    if label is None or numbers == [label]:
        return bool(numbers) and (roles.time is not None or len(numbers) == 1)
    doubtful = not LABEL.fullmatch(label.name) or (label.kind == "number" and label.name.lower() == "y")
    if roles.time is not None and roles.time.kind == "time" and numbers and doubtful:
        raise UserError(f"task: a forecast of {', '.join(repr(each.name) for each in numbers)}, or the class "
                        f"{label.name!r}? Say --task forecast, or --target {label.name!r}.")
    return False


def _rows_of_text(table: Table, texts: list[Column], choices: Choices, say: Say) -> Draft:
    """A text a row, with its class or its value, or to be gone on with."""
    choices.only("rows of text", "task", "targets", "inputs", "series", "delimiter", "decimal", "encoding", "header")
    if len(texts) > 1:
        names = ", ".join(repr(each.name) for each in texts)
        raise UserError(f"input: {names} are texts. Say which is read: --input {texts[0].name!r}.")
    (text,) = texts
    table.roles.columns.pop(text.name)
    wanted = choices.task in (None, "classify", "regress") and bool(table.roles.columns)
    label = target(table.roles, choices) if wanted else None
    tokenizer = find_tokenizer([str(each) for each in text.present[:1000]])
    columns = {"text": [text.name]}
    if choices.task in ("classify", "regress") and label is None:
        raise UserError(f"target: no column looks like a class. Say which: --target COLUMN, of "
                        f"{', '.join(map(repr, table.roles.columns))}.")
    if label is None:
        say.line("task", f"language: {text.name!r}, a text a row, symbol by symbol", "--task classify --target COLUMN")
        data = table.data({"text": "tokens"}, {"text": "next"}, columns)
        return Draft("Texts of a table, symbol by symbol.", data, "language", table.files, "char", "default",
                     {"generate": {"prompts": [""]}})
    task = choices.task or _task(label, True, choices)
    name, kind = ("label", "class") if task == "classify" else ("y", "value")
    if kind == "value":
        _check_value(label, "classify")
    say.line("task", f"{task}: {label.name!r} of the text {text.name!r}", "--task, --target, --input")
    say.line("symbols", tokenizer, "tokenizer in conf/data")
    data = table.data({"text": "tokens"}, {name: kind}, {**columns, name: [label.name]})
    return Draft(f"{label.name} of each {text.name}.", data, f"{task}_text", table.files, tokenizer)


def _check_value(wanted: Column, other: str) -> None:
    if wanted.kind != "number":
        raise UserError(f"--task regress: column {wanted.name!r} holds {wanted.kind}, not numbers. Choose --task "
                        f"{other}, or another --target.")


def find_tokenizer(texts: list[str]) -> str:
    """Words where most are set apart by spaces, else characters."""
    whole = "".join(texts)
    spaced = sum(text.count(" ") for text in texts) >= len(texts)
    return "word" if spaced and len(UNSPACED.findall(whole)) < 0.3 * max(1, len(whole)) else "char"


def _steps(table: Table, choices: Choices, say: Say) -> Draft:
    """A step a row: a class or a value of each sequence, or of each step."""
    roles = table.roles
    wanted = target(roles, choices)
    if wanted is None:
        numbers = [each.name for each in roles.free()]
        raise UserError(f"task: nothing says what is to be predicted. Say --task forecast (of a series), or --target "
                        f"COLUMN, of {', '.join(map(repr, numbers))}.")
    whole = roles.series is not None and roles.constant(wanted)
    task = choices.task or _task(wanted, whole, choices)
    if task in ("classify", "tag") and (task == "classify") != whole:
        raise UserError(_disagree(task, wanted, roles))
    per = "sequence" if whole else "step"
    if task == "regress":
        _check_value(wanted, "classify" if whole else "tag")
        name, kind, conf = "y", "value" if whole else "values", "regress" if whole else "regress_steps"
    else:
        name, kind, conf = ("label", "class", "classify") if whole else ("tag", "tag", "tag")
    read = pick_inputs(roles, choices, "number", [wanted.name])
    texts = [each.name for each in roles.free() if each.kind == "text" and each is not wanted]
    said = {"class": "the class of each sequence", "tag": "the class of each step", "value": "a value of each sequence",
            "values": "a value of each step"}[kind]
    say.line("task", f"{task}: {wanted.name!r}, {said}", "--task, --target")
    inputs, tokenizer = {"x": "real"}, None
    if (not read or set(read) <= set(texts)) and roles.series is not None and texts:
        inputs, conf = {"text": "tokens"}, f"{conf}_text"
        if conf == "regress_steps_text":
            raise UserError(f"target: {wanted.name!r} is a value a step; of text, a sequence has one. Choose another "
                            "--target, or --input COLUMN of numbers.")
        if len(texts if not choices.inputs else read) > 1:
            raise UserError(f"input: {', '.join(map(repr, texts))}: one column of text is read. Say which: "
                            f"--input {texts[0]!r}.")
        read = list(choices.inputs) or texts
        short = all(len(str(cell)) == 1 for cell in roles.columns[read[0]].present)
        tokenizer = "char" if short else "word"
    if not read:
        words = (" Text, a row of each, has --task classify or regress; words, a row each, need --series COLUMN."
                 if texts else "")
        raise UserError(f"input: no column of numbers is left to predict {wanted.name!r} from.{words} Say which is "
                        "read: --input COLUMN.")
    (field,) = inputs
    say.line("input", ", ".join(map(repr, read)), "--input COLUMN, again for each")
    say_left_out(roles, [wanted.name, *read], say, "--input COLUMN, again for each")
    data = table.data(inputs, {name: kind}, {field: read, name: [wanted.name]})
    draft = Draft(f"{wanted.name} of each {per}.", data, conf, table.files, tokenizer)
    if roles.series is None:
        lanes_of(draft, int(0.7 * len(roles.codes)))
    return draft


def lanes_of(draft: Draft, steps: int) -> None:
    """A stream is read in lanes side by side: few of a short one, or a lane would have nothing to remember."""
    lanes = max(1, min(32, steps // 200))
    draft.overrides["train"] = {"batch_size": lanes, "bptt": 100}
    draft.notes |= {"batch_size": "lanes that the stream is cut into", "bptt": "steps that a gradient goes back"}


def _task(wanted: Column, whole: bool, choices: Choices) -> str:
    if wanted.kind == "text" or (not choices.targets and wanted.whole):
        return "classify" if whole else "tag"
    if wanted.whole and wanted.distinct <= 20:
        raise UserError(f"task: column {wanted.name!r} has {wanted.distinct} different whole numbers: classes or "
                        f"values? Say --task {'classify' if whole else 'tag'}, regress or forecast.")
    return "regress"


def _disagree(task: str, wanted: Column, roles: Roles) -> str:
    if task == "tag":
        return (f"--task tag: column {wanted.name!r} says the same in all rows of a sequence. Choose --task classify, "
                "or another --target.")
    if roles.series is None:
        return ("--task classify: without a column that tells sequences apart the table is a single sequence. Say "
                "which column does: --series COLUMN; or choose --task tag, a class a row.")
    return (f"--task classify: column {wanted.name!r} changes within a sequence. Choose --task tag, another --target, "
            "or another --series.")
