"""Where text comes from: one interface over the kinds of section `data`."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from unroll.config.data import DataConfig, DocsData, TextData
from unroll.data.docs import Docs
from unroll.data.download import fetch
from unroll.data.text import Lines, Stream, find_files

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")


class Source(Protocol):
    """Text that can be read again and again, one split at a time, in constant memory."""

    def pieces(self, split: Split) -> Iterator[str]:
        """A stream's consecutive blocks, or one short item after another."""


@dataclass(frozen=True)
class Origin:
    name: str
    licence: str
    sha256: str     # of the source's text, all splits


def open_source(config: DataConfig, project: Path, mirror: Path | None, progress: bool) -> tuple[Source, Origin]:
    """The source that the section names; raises `UserError` when it is missing or not what it should be."""
    if isinstance(config, DocsData):
        docs = Docs(config.package, config.version, config.validation, config.test, config.seed)
        return docs, Origin(f"docstrings of {config.package} {config.version}", docs.licence, digest(docs))
    if isinstance(config, TextData):
        files, name = find_files(project, config.path), config.path
    else:
        files, name = [fetch(config.url, config.sha256, mirror, progress)], config.url
    kind = Stream if config.unit == "stream" else Lines
    source = kind(files, config.encoding, config.validation, config.test, config.seed)
    return source, Origin(name, config.licence, digest(source))


def digest(source: Source) -> str:
    """SHA-256 over the splits' text."""
    hashed = hashlib.sha256()
    for split in SPLITS:
        for piece in source.pieces(split):
            hashed.update(piece.encode())
            hashed.update(b"\0")
    return hashed.hexdigest()
