"""The user's own text: files found, decoded, split; never more than a block of it in memory."""

import codecs
import hashlib
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from unroll.base.errors import UserError

BLOCK = 1 << 20     # bytes read at a time


def find_files(project: Path, pattern: str) -> list[Path]:
    """The files of a path, a folder or a glob below `data/raw/`, sorted by name."""
    if ".." in Path(pattern).parts or Path(pattern).is_absolute() or Path(pattern).parts[:2] != ("data", "raw"):
        raise UserError(f"data.path: {pattern!r} is not below data/raw, which DVC watches. Copy or link it there.")
    place = project / pattern
    try:
        found = place.rglob("*") if place.is_dir() else [place] if place.is_file() else project.glob(pattern)
        files = sorted(file for file in found if file.is_file() and not _hidden(file.relative_to(project)))
    except ValueError as error:     # a glob that pathlib does not know
        raise UserError(f"data.path: {pattern!r}: {error}.") from None
    if not files:
        raise UserError(f'data.path: no such file "{pattern}". Give a file, a folder or a glob below data/raw.')
    return files


def _hidden(name: Path) -> bool:
    return any(part.startswith(".") for part in name.parts) or name.suffix == ".dvc"


def blocks(files: Sequence[Path], encoding: str) -> Iterator[str]:
    """The files' text, one after another: byte-order marks removed, line ends as newlines."""
    for file in files:
        last = ""
        try:
            with file.open("rb") as handle:
                for block in _decode(handle, file, encoding):
                    last = block
                    yield block
        except OSError as error:
            raise UserError(f"{file}: cannot be read ({error.strerror}). Check its permissions.") from None
        if last and not last.endswith("\n") and file != files[-1]:
            yield "\n"      # the next file's first line is a line of its own


def _decode(handle: BinaryIO, file: Path, encoding: str) -> Iterator[str]:
    try:
        codec = codecs.lookup("utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding)
        if "".encode(encoding).decode(encoding) != "":      # hex, rot13: no encodings of text
            raise LookupError
    except (LookupError, UnicodeError):
        raise UserError(f"data.encoding: unknown encoding {encoding!r}; try utf-8, gb18030 or cp1252.") from None
    decoder = io.IncrementalNewlineDecoder(codec.incrementaldecoder(), translate=True)
    read = 0
    while True:
        raw = handle.read(BLOCK)
        try:
            text = decoder.decode(raw, final=not raw)    # bytes: they go to the inner decoder
        except UnicodeDecodeError as error:
            offset = read + len(raw) - len(error.object) + error.start
            raise UserError(f"{file}: not {encoding} at byte {offset}. {_suggest(handle, codec, offset)}") from None
        except UnicodeError as error:       # utf-16 without its mark
            raise UserError(f"{file}: not {encoding}: {error}. {_suggest(handle, codec, 0)}") from None
        read += len(raw)
        if text:
            yield text.removeprefix("\ufeff") if read == len(raw) else text
        if not raw:
            return


def _suggest(handle: BinaryIO, codec: codecs.CodecInfo, offset: int) -> str:
    """What the text around the wrong byte may be; what stands before it may be plain ASCII."""
    from charset_normalizer import from_bytes

    handle.seek(max(0, offset - BLOCK // 2))
    best = from_bytes(handle.read(BLOCK)).best()
    if best is None or codecs.lookup(best.encoding).name == codec.name.removesuffix("-sig"):
        return "Give the encoding that it was written in as data.encoding."
    return f"It may be {best.encoding}: set data.encoding={best.encoding}."


class Stream:
    """One long text: its first part trains, the next validates, the last is the test."""

    def __init__(self, files: Sequence[Path], encoding: str, validation: float, test: float, seed: int) -> None:
        self._files, self._encoding = files, encoding
        length = sum(map(len, blocks(files, encoding)))
        first, second = int(length * (1 - validation - test)), int(length * (1 - test))
        self._bounds = {"train": (0, first), "validation": (first, second), "test": (second, length)}

    def pieces(self, split: str) -> Iterator[str]:
        start, stop = self._bounds[split]
        position = 0
        for block in blocks(self._files, self._encoding):
            piece = block[max(0, start - position) : max(0, stop - position)]
            if piece:
                yield piece
            position += len(block)
            if position >= stop:
                return


class Lines:
    """Short items, one a line. A hash of the item decides its split, so that equal items share one."""

    def __init__(self, files: Sequence[Path], encoding: str, validation: float, test: float, seed: int) -> None:
        self._files, self._encoding, self._seed = files, encoding, seed
        self._validation, self._test = validation, test

    def pieces(self, split: str) -> Iterator[str]:
        rest = ""
        for block in blocks(self._files, self._encoding):
            *lines, rest = (rest + block).split("\n")
            yield from (line for line in lines if line and self._split(line) == split)
        if rest and self._split(rest) == split:
            yield rest

    def _split(self, item: str) -> str:
        hashed = hashlib.sha256(f"{self._seed}:{item}".encode()).digest()
        share = int.from_bytes(hashed[:8], "big") / 2**64
        return "test" if share < self._test else "validation" if share < self._test + self._validation else "train"


def whole_lines(pieces: Iterable[str], block: int = 1 << 20) -> Iterator[str]:
    """The same text in blocks that end with a line: a merge of `bpe` then never straddles two of them."""
    rest = ""
    for piece in pieces:
        rest += piece
        if len(rest) >= block:
            cut = rest.rfind("\n") + 1 or len(rest)
            yield rest[:cut]
            rest = rest[cut:]
    if rest:
        yield rest
