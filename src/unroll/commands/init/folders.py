"""A folder for each class → a draft: texts or recordings."""

from typing import Any

import numpy as np

from unroll.base.errors import UserError
from unroll.commands.init.columns import find_columns, refuse_stray_cells
from unroll.commands.init.draft import Draft, Options, Place, known, report
from unroll.commands.init.missing_values import find_missing
from unroll.commands.init.reading import find_reading
from unroll.commands.init.steps import find_tokenizer
from unroll.commands.init.texts import encoding_of
from unroll.readers import endings
from unroll.readers.common.packed import ending_of
from unroll.readers.common.tables import read_parts
from unroll.readers.text import whole_text
from unroll.sources.folder import class_files


def draft_folder(place: Place, options: Options) -> Draft:
    if options.task not in (None, "classify"):
        raise UserError("conflict", f"--task {options.task}", "folders are classes: --task classify. To read one text "
                        "or table, give it alone.")
    top = place.origin
    below = [file for file in sorted(top.rglob("*")) if file.is_file() and file.parent != top and file.suffix != ".dvc"
             and not any(part.startswith(".") for part in file.relative_to(top).parts)]
    text = any(ending_of(file) in endings("text") for file in below)
    if text:
        options.only("folders of texts", "task", "encoding")
    else:
        options.only("folders of recordings", "task", "encoding", "delimiter", "decimal", "header", "inputs",
                     "skip", "comment", "units", "thousands",
                     "missing", "na_values")
    found = class_files(top, below, "text" if text else "table")
    report("classes", ", ".join(f"{name!r} {len(files):,}" for name, files in list(found.items())[:12])
                      + (f" and {len(found) - 12} more" if len(found) > 12 else ""))
    files = [file for members in found.values() for file in members]
    data: dict[str, Any] = {"kind": "folder", "path": place.path}
    rest = {"scale": "standard", "missing": "refuse", "na_values": [], "validation": 0.15, "test": 0.15, "seed": 1,
            "licence": "not stated"}
    if text:
        encoding = encoding_of(files[0], options)
        tokenizer = find_tokenizer([whole_text(file, encoding) for file in files[:100]])
        report("task", "classify: the folder of each text", "--task")
        report("symbols", tokenizer, "tokenizer in conf/data")
        data |= {"encoding": encoding, "delimiter": ",", "decimal": ".", "header": True, "skip": 0,
                 "comment": None, "units": False, "thousands": None, "columns": None,
                 "inputs": {"text": "tokens"}, "targets": {"label": "class"}, **rest}
        return Draft(f"The class of each text: {', '.join(found)}.", data, "classify_text", files, tokenizer)
    reading = find_reading(files, options).model_copy(update={"na_values": options.marks, "whole": True})
    columns = find_columns(read_parts(files[:1], reading))
    refuse_stray_cells(columns, options)
    read = [known(name, [column.name for column in columns], "--input") for name in options.inputs]
    read = read or [column.name for column in columns if column.kind == "number"]
    for column in columns:
        if column.name not in read:
            report("left out", f"{column.name!r}", f"--input {column.name!r}")
    if not read:
        raise UserError("empty", files[0], "no column of numbers to make a recording of. Give some.")
    lengths = np.array([len(part.table) for part in read_parts(files[:20], reading)])
    report("task", f"classify: the folder of each recording, of {len(read)} columns and about {np.median(lengths):.0f} "
                   "steps", "--task")
    data |= {"encoding": reading.encoding, "delimiter": reading.delimiter, "decimal": reading.decimal,
             "header": reading.header, "skip": reading.skip, "comment": reading.comment, "units": reading.units,
             "thousands": reading.thousands, "columns": read, "tokenizer": None, "inputs": {"x": "real"},
             "targets": {"label": "class"}, **rest, "na_values": list(options.marks),
             "missing": find_missing([column for column in columns if column.name in read], options)}
    return Draft(f"The class of each recording: {', '.join(found)}.", data, "classify", files)
