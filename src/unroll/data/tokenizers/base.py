"""What every tokenizer does."""

import codecs
from abc import ABC, abstractmethod
from collections.abc import Iterable
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from unroll.base.errors import UserError

Ids = NDArray[np.integer[Any]]


class Decoder:
    """Text from one symbol after another, never half a character; joined, it is the text of all symbols at once."""

    def __init__(self, parts: list[bytes]) -> None:
        self._parts = parts
        self._characters = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def add(self, symbol: int) -> str:
        return self._characters.decode(self._parts[symbol])

    def end(self) -> str:
        """U+FFFD if the last character is incomplete, else nothing."""
        return self._characters.decode(b"", final=True)


class Tokenizer(ABC):
    """`size` counts all symbols, 0 … size - 1, those of `begin` and `end` included.

    Every sequence is read from `begin` on: a newline before a stream, a symbol of its own before short items,
    which `end` closes (None in a stream). `unknown` stands for whatever the vocabulary lacks (None: it lacks nothing).
    """

    joint: ClassVar[str] = ""       # between two texts that are read as one
    # what `encode` does to `text` as an expression of Python, where `known` is the state; and the modules that it needs
    expression: ClassVar[str]
    modules: ClassVar[tuple[str, ...]] = ()

    size: int
    begin: int
    end: int | None
    unknown: int | None = None
    items: bool

    @classmethod
    @abstractmethod
    def fit(cls, settings: Any, items: bool, pieces: Iterable[str]) -> "Tokenizer":
        """Fit a tokenizer with the `Settings` of this kind on the texts of the training split."""

    @classmethod
    @abstractmethod
    def restore(cls, state: dict[str, Any]) -> "Tokenizer": ...

    @classmethod
    def split(cls, text: str) -> list[str]:
        """The stretch of text behind each symbol, for kinds with an unknown symbol."""
        return list(text)

    @classmethod
    def count(cls, text: str) -> int:
        """How many symbols `encode` gives, whatever was fitted; texts with `joint` between them have the sum of theirs.

        Raises `UserError` where it depends on what was fitted.
        """
        return len(cls.split(text))

    def extended(self, pieces: Iterable[str], least: int) -> "Tokenizer":
        """With what the texts have at least so often and it lacks; raises `UserError` where it can lack nothing."""
        raise UserError("no-effect", "data.tokenizer.extend", f"a tokenizer of kind {self.state()['kind']} encodes "
                        "every text already. Set it to null.")

    def _bounds(self, symbols: int, newline: int) -> None:
        """Short items have a begin and an end of their own, after the text's symbols."""
        self.size = symbols + 2 * self.items
        self.begin, self.end = (symbols, symbols + 1) if self.items else (newline, None)

    @abstractmethod
    def encode(self, text: str) -> Ids: ...

    @abstractmethod
    def decode(self, ids: Ids) -> str: ...

    @property
    @abstractmethod
    def vocabulary(self) -> list[bytes | None]:
        """What each symbol adds to the text, as UTF-8 and possibly a part of a character; None: it adds nothing.

        Raises `UserError` where that depends on the symbols before it.
        """

    def decoder(self, before: Ids) -> Decoder:
        """For the text that follows the symbols `before`, the begin symbol and a prompt."""
        return Decoder(self._parts)

    @cached_property
    def _parts(self) -> list[bytes]:
        return [part or b"" for part in self.vocabulary]

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """Plain values that `restore` makes the tokenizer from; `kind` is among them."""
