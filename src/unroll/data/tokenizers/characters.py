"""Every byte a symbol, or every character of an alphabet."""

from collections import Counter
from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from unroll.data.tokenizers.base import Ids, Tokenizer

if TYPE_CHECKING:
    from unroll.config.tokens import CharTokenizer


class Bytes(Tokenizer):
    def __init__(self, items: bool) -> None:
        self.items = items
        self._bounds(256, ord("\n"))

    def encode(self, text: str) -> Ids:
        return np.frombuffer(text.encode(), np.uint8).astype(np.uint16)

    def decode(self, ids: Ids) -> str:
        ids = np.asarray(ids)
        return ids[ids < 256].astype(np.uint8).tobytes().decode(errors="replace")

    @cached_property
    def vocabulary(self) -> list[bytes | None]:
        return [*(bytes([each]) for each in range(256)), *[None] * (self.size - 256)]

    def state(self) -> dict[str, Any]:
        return {"kind": "byte", "items": self.items}


class Chars(Tokenizer):
    """Symbol 0 is the unknown one, 1 … n the sorted alphabet."""

    unknown = 0

    def __init__(self, alphabet: str, items: bool) -> None:
        self.items, self.alphabet = items, alphabet
        self._points = np.array([ord(each) for each in alphabet], np.uint32)
        shown = np.concatenate([[ord("\ufffd")], self._points, [0, 0]])
        self._shown = shown.astype("<u4")
        symbols = 1 + len(alphabet)
        newline = alphabet.find("\n")
        self._bounds(symbols, newline + 1)

    @classmethod
    def train(cls, config: "CharTokenizer", items: bool, pieces: Iterable[str]) -> "Chars":
        counts: Counter[str] = Counter()
        for piece in pieces:
            counts.update(piece)
        return cls("".join(sorted(each for each, count in counts.items() if count >= config.min_count)), items)

    def encode(self, text: str) -> Ids:
        points = np.frombuffer(text.encode("utf-32-le"), "<u4")
        if not len(self._points):
            return np.zeros(len(points), np.int64)
        place = np.searchsorted(self._points, points).clip(max=len(self._points) - 1)
        return np.where(self._points[place] == points, place + 1, self.unknown)

    def decode(self, ids: Ids) -> str:
        ids = np.asarray(ids, np.int64)
        return self._shown[ids[ids <= len(self.alphabet)]].tobytes().decode("utf-32-le")

    @cached_property
    def vocabulary(self) -> list[bytes | None]:
        return [None, *(each.encode() for each in self.alphabet), *[None] * (self.size - 1 - len(self.alphabet))]

    def state(self) -> dict[str, Any]:
        return {"kind": "char", "items": self.items, "alphabet": self.alphabet}
