"""A folder of folders, each called as the class of the texts or recordings in it."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unroll.config.data import FolderData
from unroll.data.columns import Columns
from unroll.data.held_out import hold_out
from unroll.data.sources import Items, Piece, Source
from unroll.data.tabular import PARQUET, Format, read_parts
from unroll.data.text import blocks, find_files
from unroll.errors import UserError

TEXTS = (".txt",)
RECORDINGS = (".csv", ".tsv", *PARQUET)


def open_folder(config: FolderData, project: Path) -> Source:
    """The sequences of every class, in memory; raises `UserError` naming folder or file."""
    (field, *more), kinds = config.inputs, set(config.inputs.values())
    if more:
        raise UserError(f"data.inputs: a file is one input, not {1 + len(more)}. Leave all but one out.")
    wrong = [(name, kind) for name, kind in config.targets.items() if kind not in ("class", "next")]
    for name, kind in wrong:
        raise UserError(f"data.targets.{name}: a folder's files have a class each, not {kind}. Choose class, or "
                        "data.kind=table.")
    text = kinds == {"tokens"}
    if text and config.tokenizer is None:
        raise UserError("data.tokenizer: missing. Inputs of kind tokens need one: choose data/tokenizer=char.")
    found = find_files(project, config.path)
    if not (project / config.path).is_dir():
        raise UserError(f"data.path: {config.path!r} is no folder. Give one that has a folder for each class.")
    files = class_files(project / config.path, found, TEXTS if text else RECORDINGS)
    values = _texts(config, files) if text else _recordings(config, files)
    labels = [label for label, kind in config.targets.items() if kind == "class"]
    pieces: list[Piece] = [{field: value, **dict.fromkeys(labels, name)} for name, value in values]
    splits = hold_out(pieces, config.inputs, config.targets, config.validation, config.test, config.seed)
    return Items(pieces, splits)


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


def _recordings(config: FolderData, classes: dict[str, list[Path]]) -> Iterator[tuple[str, NDArray[np.float64]]]:
    form = Format(config.delimiter, config.decimal, config.encoding, config.header)
    first: tuple[Path, list[str]] | None = None
    for name, files in classes.items():
        for file in files:
            (part,) = read_parts([file], form)
            columns = list(part.table.column_names)
            first = first or (file, columns)
            if sorted(columns) != sorted(first[1]):
                differing = ", ".join(map(repr, sorted(set(columns) ^ set(first[1]))))
                raise UserError(f"{file}: its columns differ from those of {first[0]} in {differing}. All recordings "
                                "need the same.")
            need = "All columns of a recording are read: leave those of text out, or choose data.kind=table."
            yield name, Columns([part]).numbers(first[1], need)
