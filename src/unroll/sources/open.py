"""Section `data` → its source."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from unroll.config.data import (
    AeonData,
    CodeData,
    DataConfig,
    DocsData,
    FolderData,
    MackeyGlassData,
    NpzData,
    PackagesData,
    PianorollData,
    SignalsData,
    TableData,
    TextData,
    TsData,
    UrlData,
)
from unroll.data.source import SPLITS, Layout, Origin, Piece, Source, Split
from unroll.data.spec import Reading


class _Text(Source):
    """Blocks of text under their field's name; a stream's end with a line, so that no symbol straddles two."""

    def __init__(self, field: str, text: Any, layout: Layout) -> None:
        self.layout, self._field, self._text = layout, field, text

    def pieces(self, split: Split) -> Iterator[Piece]:
        from unroll.sources.text import whole_lines

        blocks = self._text.pieces(split)
        return ({self._field: block} for block in (whole_lines(blocks) if self.layout == "stream" else blocks))


def open_source(config: DataConfig, project: Path, mirror: Path | None, progress: bool) -> tuple[Source, Origin]:
    """The source that the section names; raises `UserError` when it is missing or not what it should be."""
    source, name, licence = _open(config, project, mirror, progress)
    return source, Origin(name, licence, digest(source))


def _open(config: DataConfig, project: Path, mirror: Path | None, progress: bool) -> tuple[Source, str, str]:
    # a kind's libraries are imported when it is asked for
    match config:
        case DocsData():
            from unroll.sources.docs import Docs

            (field,) = config.inputs
            docs = Docs(config.package, config.version, config.validation, config.test, config.seed)
            return _Text(field, docs, "stream"), f"docstrings of {config.package} {config.version}", docs.licence
        case TextData() | UrlData():
            return _open_text(config, project, mirror, progress)
        case AeonData() | TsData():
            from unroll.sources import archive

            return archive.open_archive(config, project)
        case NpzData():
            from unroll.sources import arrays

            return arrays.open_arrays(config, project), config.path, config.licence
        case TableData():
            from unroll.sources import table

            return table.open_table(config, project), config.path, config.licence
        case FolderData():
            from unroll.sources import folder

            return folder.open_folder(config, project), config.path, config.licence
        case PackagesData() | CodeData():
            from unroll.sources import packages

            return packages.open_packages(config)
        case SignalsData() | MackeyGlassData():
            from unroll.sources import generated

            return generated.open_generated(config), f"generated: {config.kind}", "none: generated"
        case PianorollData():
            from unroll.sources import pianoroll
            from unroll.sources.download import fetch

            file = fetch(config.url, config.sha256, mirror, progress)
            return pianoroll.open_pianoroll(config, file), config.url, config.licence


def _open_text(
    config: TextData | UrlData, project: Path, mirror: Path | None, progress: bool
) -> tuple[Source, str, str]:
    from unroll.sources.download import fetch
    from unroll.sources.text import Lines, Stream, find_files

    if isinstance(config, TextData):
        files, name = find_files(project, config.path), config.path
    else:
        files, name = [fetch(config.url, config.sha256, mirror, progress)], config.url
    (field,) = config.inputs
    kind = Stream if config.unit == "stream" else Lines
    text = kind(files, config.encoding, config.validation, config.test, config.seed)
    source = _Text(field, text, "stream" if config.unit == "stream" else "items")
    source.reading = Reading(encoding=config.encoding)
    return source, name, config.licence


def digest(source: Source) -> str:
    """SHA-256 over the splits and their content."""
    hashed = hashlib.sha256()
    for split in SPLITS:
        hashed.update(split.encode() + b"\0")
        for piece in source.pieces(split):
            for value in piece.values():
                if isinstance(value, str):
                    hashed.update(value.encode())
                else:
                    array = np.asarray(value)
                    # the bytes of text in an array depend on its longest entry
                    text = "\0".join(map(str, array.ravel())).encode() if array.dtype.kind in "UO" else array.tobytes()
                    hashed.update(repr(array.shape).encode() + text)
                hashed.update(b"\0")
    return hashed.hexdigest()
