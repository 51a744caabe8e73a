"""A folder of folders, each called as the class of the texts or recordings in it."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unroll.base.errors import UserError
from unroll.config.data import FUTURE, FolderData
from unroll.data.source import Piece, Source
from unroll.data.spec import Reading
from unroll.sources.columns import Columns
from unroll.sources.held_out import hold_out
from unroll.sources.in_memory import Items
from unroll.sources.tabular import PARQUET, Format, read_parts
from unroll.sources.text import blocks, find_files

TEXTS = (".txt",)
RECORDINGS = (".csv", ".tsv", *PARQUET)


def open_folder(config: FolderData, project: Path) -> Source:
    """The sequences of every class, in memory; raises `UserError` naming folder or file."""
    (field, *more), kinds = config.inputs, set(config.inputs.values())
    if more:
        raise UserError(f"data.inputs: a file is one input, not {1 + len(more)}. Leave all but one out.")
    wrong = [(name, kind) for name, kind in config.targets.items() if kind != "class" and kind not in FUTURE]
    for name, kind in wrong:
        raise UserError(f"data.targets.{name}: a folder's files have a class each, not {kind}. Choose class, or "
                        "data.kind=table.")
    text = kinds == {"tokens"}
    if config.columns is not None and (text or len(set(config.columns)) < len(config.columns)):
        raise UserError("data.columns: " + ("texts have none. Set it to null." if text else
                                            f"{config.columns} names one twice. Leave it out."))
    if text and config.tokenizer is None:
        raise UserError("data.tokenizer: missing. Inputs of kind tokens need one: choose data/tokenizer=char.")
    found = find_files(project, config.path)
    if not (project / config.path).is_dir():
        raise UserError(f"data.path: {config.path!r} is no folder. Give one that has a folder for each class.")
    files = class_files(project / config.path, found, TEXTS if text else RECORDINGS)
    columns: list[str] = []     # in the order of the first recording
    values = _texts(config, files) if text else _recordings(config, files, columns)
    labels = [label for label, kind in config.targets.items() if kind == "class"]
    pieces: list[Piece] = [{field: value, **dict.fromkeys(labels, name)} for name, value in values]
    splits = hold_out(pieces, config.inputs, config.targets, config.validation, config.test, config.seed)
    names = [bytes(file.relative_to(project / config.path)).decode(errors="backslashreplace")
             for each in files.values() for file in each]
    source = Items(pieces, splits, names, {field: columns} if columns else None)
    source.reading = Reading(encoding=config.encoding, delimiter=config.delimiter, decimal=config.decimal,
                             header=config.header, whole=True)
    return source


def class_files(top: Path, found: list[Path], endings: tuple[str, ...]) -> dict[str, list[Path]]:
    """The files below `top` by class, both in the order of their names; raises `UserError` on one that is in none."""
    folders = sorted(each for each in top.iterdir() if each.is_dir() and not each.name.startswith("."))
    if not folders:
        raise UserError(f"{top}: no folders in it. Put the files of each class into a folder called as the class.")
    if len(folders) == 1:
        raise UserError(f"{top}: one class alone, {folders[0].name!r}. Add a folder for each other class.")
    expected = "texts (.txt)" if endings == TEXTS else "recordings (.csv, .tsv, .parquet)"
    for file in found:
        if file.suffix.lower() not in endings and file.parent != top:
            raise UserError(f"{file}: not one of the {expected} that data.inputs asks for. Move it away, or change "
                            "data.inputs.")
        if file.suffix.lower() in endings and file.parent == top:
            raise UserError(f"{file}: in no folder of a class. Move it into one, or away.")
    classes = {folder.name: [file for file in found if folder in file.parents] for folder in folders}
    for name, files in classes.items():
        if not files:
            raise UserError(f"{top / name}: no files of class {name!r}. Add some, or remove the folder.")
    return classes


def _texts(config: FolderData, classes: dict[str, list[Path]]) -> Iterator[tuple[str, str]]:
    for name, files in classes.items():
        for file in files:
            text = "".join(blocks([file], config.encoding)).removesuffix("\n")
            if not text:
                raise UserError(f"{file}: empty. Leave it out.")
            yield name, text


def _recordings(
    config: FolderData, classes: dict[str, list[Path]], columns: list[str]
) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Each file's class and its numbers (T, F), their columns in the order of the first file's, which are noted."""
    form = Format(config.delimiter, config.decimal, config.encoding, config.header)
    first: Path | None = None
    for name, files in classes.items():
        for file in files:
            (part,) = read_parts([file], form, config.columns)
            own = list(part.table.column_names)
            if first is None:
                first = file
                columns += own
            if sorted(own) != sorted(columns):
                differing = ", ".join(map(repr, sorted(set(own) ^ set(columns))))
                raise UserError(f"{file}: its columns differ from those of {first} in {differing}. All recordings "
                                "need the same.")
            need = ("Leave the column out of data.columns, or mend it." if config.columns is not None else
                    "All columns of a recording are read: say in data.columns which are.")
            yield name, Columns([part]).numbers(columns, need)
