"""A folder for each class, of texts or of recordings as tables."""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.base.errors import UserError
from unroll.config.data import FUTURE
from unroll.config.sources.folder import Settings
from unroll.data.source import Source
from unroll.data.spec import Reading
from unroll.readers import endings
from unroll.readers.common.columns import Columns
from unroll.readers.common.marks import marks
from unroll.readers.common.packed import ending_of
from unroll.readers.common.spool import Spool
from unroll.readers.common.tables import read_parts, whole
from unroll.readers.text import whole_text
from unroll.sources.common.access import Access
from unroll.sources.common.memory import Items, Lazy
from unroll.sources.common.splits import hold_out
from unroll.sources.common.stored import Pieces
from unroll.sources.common.stored_texts import Texts


def open_source(settings: Settings, access: Access) -> tuple[Source, str, str]:
    """The sequences of every class, copied to disk; raises `UserError` naming folder or file."""
    _check(settings)
    (field,) = settings.inputs
    text = "tokens" in settings.inputs.values()
    found, top = access.files(settings.path), access.project / settings.path
    if not top.is_dir():
        raise UserError("not-a-file", "data.path", f"{settings.path!r} is no folder. Give one that has a folder for "
                        "each class.")
    classes = class_files(top, found, "text" if text else "table")
    files = [file for members in classes.values() for file in members]
    reading = Reading(encoding=settings.encoding, delimiter=settings.delimiter, decimal=settings.decimal,
                      header=settings.header, skip=settings.skip, comment=settings.comment, units=settings.units,
                      thousands=settings.thousands, na_values=marks(settings.na_values), whole=True)
    columns: list[str] = []     # in the order of the first recording
    values = _texts(files, reading, access.scratch) if text else _recordings(settings, files, reading, columns,
                                                                             access.scratch)
    numbers = np.repeat(np.arange(len(classes)), [len(members) for members in classes.values()])
    labels, names = [label for label, kind in settings.targets.items() if kind == "class"], list(classes)
    pieces = Lazy(len(files), lambda at: {field: values[at], **dict.fromkeys(labels, names[numbers[at]])})
    splits = hold_out(pieces, settings.inputs, settings.targets, settings.validation, settings.test, settings.seed)
    places = Lazy(len(files), lambda at: bytes(files[at].relative_to(top)).decode(errors="backslashreplace"))
    source = Items(pieces, splits, places, {field: columns} if columns else None)
    source.reading = reading
    return source, settings.path, settings.licence


def _check(settings: Settings) -> None:
    if len(settings.inputs) > 1:
        raise UserError("unsupported", "data.inputs", f"a file is one input, not {len(settings.inputs)}. Leave all but "
                        "one out.")
    for name, kind in settings.targets.items():
        if kind != "class" and kind not in FUTURE:
            raise UserError("unsupported", f"data.targets.{name}", f"a folder's files have a class each, not {kind}. "
                            "Choose class, or data.kind=table.")
    text = "tokens" in settings.inputs.values()
    if settings.columns is not None and text:
        raise UserError("no-effect", "data.columns", "texts have none. Set it to null.")
    if settings.columns is not None and len(set(settings.columns)) < len(settings.columns):
        raise UserError("conflict", "data.columns", f"{settings.columns} names one twice. Leave it out.")
    if text and settings.tokenizer is None:
        raise UserError("missing-value", "data.tokenizer", "missing. Inputs of kind tokens need one: choose "
                        "data/tokenizer=char.")


def class_files(top: Path, found: list[Path], holds: str) -> dict[str, list[Path]]:
    """The files below `top` by class, both in the order of their names; raises `UserError` on a file outside a class.

    `holds` is text or table, what every file must be.
    """
    expected = endings("text") if holds == "text" else endings("table")
    folders = sorted(folder for folder in top.iterdir() if folder.is_dir() and not folder.name.startswith("."))
    if not folders:
        raise UserError("missing-file", top, "no folders in it. Put the files of each class into a folder named after "
                        "it.")
    if len(folders) == 1:
        raise UserError("missing-file", top, f"only one class, {folders[0].name!r}. Add a folder for each other class.")
    for file in found:
        if ending_of(file) not in expected and file.parent != top:
            kind = "texts" if holds == "text" else "recordings"
            raise UserError("unsupported", file, f"not one of the {kind} ({', '.join(expected)}) that data.inputs asks "
                            "for. Move it away, or change data.inputs.")
        if ending_of(file) in expected and file.parent == top:
            raise UserError("unsupported", file, "outside the folders of the classes. Move it into one, or away.")
    classes: dict[str, list[Path]] = {folder.name: [] for folder in folders}
    for file in found:
        if file.parent != top:
            classes[file.relative_to(top).parts[0]].append(file)
    for name, files in classes.items():
        if not files:
            raise UserError("empty", top / name, f"no files of class {name!r}. Add some, or remove the folder.")
    return classes


def _texts(files: Sequence[Path], reading: Reading, scratch: Path | None) -> Texts:
    """The text of each file, of which one is in memory at a time."""
    def read() -> Iterator[list[str]]:
        for file in files:
            text = whole_text(file, reading.encoding).removesuffix("\n")
            if not text:
                raise UserError("empty", file, "empty. Leave it out.")
            yield [text]

    return Texts(scratch, read())


def _recordings(settings: Settings, files: Sequence[Path], reading: Reading, columns: list[str],
                scratch: Path | None) -> Pieces:
    """The numbers (T, F) of each file, read by blocks of rows; fills `columns`, in the order of the first file's."""
    need = ("Leave the column out of data.columns, or correct it." if settings.columns is not None else
            "All columns of a recording are read: list in data.columns those that should be.")

    def read(file: Path) -> Iterator[NDArray[np.float64]]:
        (part,) = read_parts([file], reading, settings.columns, partial(_kept, scratch))
        own = list(part.table.schema.names)
        columns.extend(own if file == files[0] else ())
        if sorted(own) != sorted(columns):
            differing = ", ".join(map(repr, sorted(set(own) ^ set(columns))))
            raise UserError("conflict", file, f"its columns differ from those of {files[0]} in {differing}. All "
                            "recordings need the same.")
        return Columns([part]).number_blocks(columns, need, holes=settings.missing_numbers is not None)

    return Pieces(scratch, map(read, files))


def _kept(scratch: Path | None, blocks: Iterator[Any]) -> Any:
    """One table: in memory if it is a single block, as most recordings are."""
    first = list(islice(blocks, 2))
    return whole(iter(first)) if len(first) < 2 else Spool(scratch, chain(first, blocks))
