"""What every tokenizer does."""

import codecs
from abc import ABC, abstractmethod
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.integer[Any]]


class Decoder:
    """Symbol by symbol into text, never half a character; joined, the same as all symbols at once."""

    def __init__(self, parts: list[bytes]) -> None:
        self._parts = parts
        self._characters = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def add(self, symbol: int) -> str:
        return self._characters.decode(self._parts[symbol])

    def end(self) -> str:
        """What stands for a character that was begun and not ended."""
        return self._characters.decode(b"", final=True)


class Tokenizer(ABC):
    """`size` counts all symbols, 0 … size - 1, those of `begin` and `end` included.

    Every sequence is read from `begin` on: a newline before a stream, a symbol of its own before short items,
    which `end` closes (None in a stream). `unknown` stands for what the vocabulary lacks (None: nothing lacks).
    """

    size: int
    begin: int
    end: int | None
    unknown: int | None = None
    items: bool

    def _bounds(self, symbols: int, newline: int) -> None:
        """Short items have a begin and an end of their own, after the text's symbols."""
        self.size = symbols + 2 * self.items
        self.begin, self.end = (symbols, symbols + 1) if self.items else (newline, None)

    @abstractmethod
    def encode(self, text: str) -> Ids: ...

    def parts(self, text: str) -> list[str]:
        """Of a closed vocabulary, what each symbol of the text stands for."""
        return list(text)

    @abstractmethod
    def decode(self, ids: Ids) -> str: ...

    @property
    @abstractmethod
    def vocabulary(self) -> list[bytes | None]:
        """What each symbol adds to the text, in UTF-8, a part of a character if so; None: nothing of its own.

        Raises `UserError` where that depends on what stands before it.
        """

    def decoder(self, before: Ids) -> Decoder:
        """Text as it comes, after the symbols `before`, the begin symbol and a prompt."""
        return Decoder(self._parts)

    @cached_property
    def _parts(self) -> list[bytes]:
        return [each or b"" for each in self.vocabulary]

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """Plain values that `restore` makes the tokenizer from."""
