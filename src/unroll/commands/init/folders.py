"""A folder for each class → a draft: texts or recordings."""

from typing import Any

import numpy as np

from unroll.base.errors import UserError
from unroll.commands.init.column_kinds import find_kinds
from unroll.commands.init.csv_format import find_encoding, find_format
from unroll.commands.init.draft import Choices, Draft, Place, Say, known
from unroll.commands.init.tables import find_tokenizer, refuse_spoilt
from unroll.sources.folder import RECORDINGS, TEXTS, class_files
from unroll.sources.tabular import read_parts
from unroll.sources.text import blocks


def draft_folder(place: Place, choices: Choices, say: Say) -> Draft:
    if choices.task not in (None, "classify"):
        raise UserError(f"--task {choices.task}: folders are classes: --task classify. For one text or table, give it "
                        "alone.")
    top = place.given
    below = [file for file in sorted(top.rglob("*")) if file.is_file() and file.parent != top and file.suffix != ".dvc"
             and not any(part.startswith(".") for part in file.relative_to(top).parts)]
    text = any(file.suffix.lower() in TEXTS for file in below)
    if text:
        choices.only("folders of texts", "task", "encoding")
    else:
        choices.only("folders of recordings", "task", "encoding", "delimiter", "decimal", "header", "inputs")
    found = class_files(top, below, TEXTS if text else RECORDINGS)
    say.line("classes", ", ".join(f"{name!r} {len(files):,}" for name, files in list(found.items())[:12])
                        + (f" and {len(found) - 12} more" if len(found) > 12 else ""))
    files = [file for each in found.values() for file in each]
    data: dict[str, Any] = {"kind": "folder", "path": place.path}
    rest = {"scale": "standard", "validation": 0.15, "test": 0.15, "seed": 1, "licence": "not stated"}
    if text:
        encoding = find_encoding(files[0], choices, say)
        tokenizer = find_tokenizer(["".join(blocks([file], encoding)) for file in files[:100]])
        say.line("task", "classify: the folder of each text", "--task")
        say.line("symbols", tokenizer, "tokenizer in conf/data")
        data |= {"encoding": encoding, "delimiter": ",", "decimal": ".", "header": True, "columns": None,
                 "inputs": {"text": "tokens"}, "targets": {"label": "class"}, **rest}
        return Draft(f"The class of each text: {', '.join(found)}.", data, "classify_text", files, tokenizer)
    form = find_format(files, choices, say)
    kinds = find_kinds(read_parts(files[:1], form), say)
    refuse_spoilt(kinds, choices)
    columns = [known(name, [each.name for each in kinds], "--input") for name in choices.inputs]
    columns = columns or [each.name for each in kinds if each.kind == "number"]
    for each in kinds:
        if each.name not in columns:
            say.line("left out", f"{each.name!r}", f"--input {each.name!r}")
    if not columns:
        raise UserError(f"{files[0]}: no column of numbers, of which a recording is made. Give some.")
    lengths = np.array([len(part.table) for part in read_parts(files[:20], form)])
    say.line("task", f"classify: the folder of each recording, of {len(columns)} columns and about "
                     f"{np.median(lengths):.0f} steps", "--task")
    data |= {"encoding": form.encoding, "delimiter": form.delimiter, "decimal": form.decimal, "header": form.header,
             "columns": columns, "tokenizer": None, "inputs": {"x": "real"}, "targets": {"label": "class"}, **rest}
    return Draft(f"The class of each recording: {', '.join(found)}.", data, "classify", files)
