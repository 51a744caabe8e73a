"""Text files as a source: one stream, or an item a line; read again for each pass, never as a whole."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from unroll.data.source import LayoutName, Piece, Source, Split
from unroll.data.spec import Reading
from unroll.readers.text import blocks


def text_source(field: str, files: Sequence[Path], unit: str, encoding: str, validation: float, test: float,
                seed: int) -> Source:
    """`unit` is stream or line."""
    kind = Stream if unit == "stream" else Lines
    source = TextSource(field, kind(files, encoding, validation, test, seed), "stream" if unit == "stream" else "items")
    source.reading = Reading(encoding=encoding)
    return source


class Texts(Protocol):
    """Text of each split, in blocks or items, that can be read again and again."""

    def pieces(self, split: str) -> Iterator[str]: ...


class TextSource(Source):
    """Blocks of text under their field's name; a stream's end with a line, so that no symbol straddles two."""

    def __init__(self, field: str, texts: Texts, layout: LayoutName) -> None:
        self.layout, self._field, self._texts = layout, field, texts

    def pieces(self, split: Split) -> Iterator[Piece]:
        texts = self._texts.pieces(split)
        return ({self._field: text} for text in (whole_lines(texts) if self.layout == "stream" else texts))


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
