"""Where sequences come from: one interface over the kinds of section `data`."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

from unroll.config.data import (
    AeonData,
    CodeData,
    DataConfig,
    DocsData,
    FolderData,
    ForecastConfig,
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
from unroll.errors import UserError

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
Layout = Literal["stream", "items", "windows"]
Piece = dict[str, Any]      # of each field: text, an array (T, F) or (T,), a class, a vector


class Source(Protocol):
    """Sequences that can be read again and again, one split at a time.

    A *stream* is one long sequence in consecutive pieces, *items* are a piece each; of *windows*, a piece is a series,
    preceded by what the first window of the split reads.
    """

    layout: Layout

    def pieces(self, split: Split) -> Iterator[Piece]: ...


@dataclass(frozen=True)
class Origin:
    name: str
    licence: str
    sha256: str     # of all splits' content


class Items:
    """Sequences in memory, and which of them are in which split."""

    layout: Layout = "items"

    def __init__(self, pieces: Sequence[Piece], splits: Mapping[str, Any]) -> None:
        self._pieces, self._splits = pieces, splits

    def pieces(self, split: Split) -> Iterator[Piece]:
        return (self._pieces[index] for index in self._splits[split])


class OneStream:
    """One long sequence in memory, its splits one after another."""

    layout: Layout = "stream"

    def __init__(self, fields: Piece, bounds: Mapping[str, tuple[int, int]]) -> None:
        self._fields, self._bounds = fields, bounds

    def pieces(self, split: Split) -> Iterator[Piece]:
        first, last = self._bounds[split]
        yield {name: values[first:last] for name, values in self._fields.items()}


class Series:
    """One or several series to be forecast, each cut in time; a later split begins with what its windows read."""

    layout: Layout = "windows"

    def __init__(self, field: str, series: Sequence[Any], names: Sequence[str], forecast: ForecastConfig,
                 validation: float, test: float) -> None:
        from unroll.data.splits import cut

        self._field, self._series = field, series
        self._before = forecast.context + forecast.season
        self._cuts = [cut(len(each), validation, test) for each in series]
        for each, bounds, name in zip(series, self._cuts, names, strict=True):
            least = {"train": self._before + forecast.horizon, "validation": forecast.horizon, "test": forecast.horizon}
            for split, (first, last) in bounds.items():
                if last - first < least[split]:
                    raise UserError(
                        f"data.forecast: the {split} split of {name} has {last - first} of {len(each)} steps where a "
                        f"forecast of {forecast.horizon} needs {least[split]}. Give a longer series, a larger share, "
                        "or a shorter horizon, context or season."
                    )

    def pieces(self, split: Split) -> Iterator[Piece]:
        for each, bounds in zip(self._series, self._cuts, strict=True):
            first, last = bounds[split]
            yield {self._field: each[max(0, first - self._before) if split != "train" else 0 : last]}


class _Text:
    """Blocks of text under their field's name; a stream's end with a line, so that no symbol straddles two."""

    def __init__(self, field: str, text: Any, layout: Layout) -> None:
        self.layout, self._field, self._text = layout, field, text

    def pieces(self, split: Split) -> Iterator[Piece]:
        from unroll.data.text import whole_lines

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
            from unroll.data.docs import Docs

            (field,) = config.inputs
            docs = Docs(config.package, config.version, config.validation, config.test, config.seed)
            return _Text(field, docs, "stream"), f"docstrings of {config.package} {config.version}", docs.licence
        case TextData() | UrlData():
            return _open_text(config, project, mirror, progress)
        case AeonData() | TsData():
            from unroll.data import archive

            return archive.open_archive(config, project)
        case NpzData():
            from unroll.data import arrays

            return arrays.open_arrays(config, project), config.path, config.licence
        case TableData():
            from unroll.data import table

            return table.open_table(config, project), config.path, config.licence
        case FolderData():
            from unroll.data import folder

            return folder.open_folder(config, project), config.path, config.licence
        case PackagesData() | CodeData():
            from unroll.data import packages

            return packages.open_packages(config)
        case SignalsData() | MackeyGlassData():
            from unroll.data import generated

            return generated.open_generated(config), f"generated: {config.kind}", "none: generated"
        case PianorollData():
            from unroll.data import pianoroll
            from unroll.data.download import fetch

            file = fetch(config.url, config.sha256, mirror, progress)
            return pianoroll.open_pianoroll(config, file), config.url, config.licence


def _open_text(
    config: TextData | UrlData, project: Path, mirror: Path | None, progress: bool
) -> tuple[Source, str, str]:
    from unroll.data.download import fetch
    from unroll.data.text import Lines, Stream, find_files

    if isinstance(config, TextData):
        files, name = find_files(project, config.path), config.path
    else:
        files, name = [fetch(config.url, config.sha256, mirror, progress)], config.url
    (field,) = config.inputs
    kind = Stream if config.unit == "stream" else Lines
    text = kind(files, config.encoding, config.validation, config.test, config.seed)
    return _Text(field, text, "stream" if config.unit == "stream" else "items"), name, config.licence


def digest(source: Source) -> str:
    """SHA-256 over the splits' content."""
    hashed = hashlib.sha256()
    for split in SPLITS:
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
