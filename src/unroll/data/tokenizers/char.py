"""Every character of an alphabet a symbol."""

from collections import Counter
from collections.abc import Iterable
from functools import cached_property
from typing import Any

import numpy as np

from unroll.config.tokenizers.char import Settings
from unroll.data.tokenizers.base import Ids, Tokenizer


class Fitted(Tokenizer):
    """Symbol 0 is the unknown one, 1 … n the sorted alphabet."""

    unknown = 0
    expression = '[1 + known["alphabet"].find(character) for character in text]'

    def __init__(self, alphabet: str, items: bool) -> None:
        self.items, self.alphabet = items, alphabet
        self._points = np.array([ord(character) for character in alphabet], np.uint32)
        shown = np.concatenate([[ord("\ufffd")], self._points, [0, 0]])
        self._shown = shown.astype("<u4")
        symbols = 1 + len(alphabet)
        newline = alphabet.find("\n")
        self._bounds(symbols, newline + 1)

    @classmethod
    def fit(cls, settings: Settings, items: bool, pieces: Iterable[str]) -> "Fitted":
        counts: Counter[str] = Counter()
        for piece in pieces:
            counts.update(piece)
        frequent = sorted(character for character, count in counts.items() if count >= settings.min_count)
        return cls("".join(frequent), items)

    @classmethod
    def restore(cls, state: dict[str, Any]) -> "Fitted":
        return cls(state["alphabet"], state["items"])

    def extended(self, pieces: Iterable[str], least: int) -> "Fitted":
        counts: Counter[str] = Counter()
        for piece in pieces:
            counts.update(piece)
        frequent = {character for character, count in counts.items() if count >= least}
        return Fitted("".join(sorted({*self.alphabet} | frequent)), self.items)

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
        characters = (character.encode() for character in self.alphabet)
        return [None, *characters, *[None] * (self.size - 1 - len(self.alphabet))]

    def state(self) -> dict[str, Any]:
        return {"kind": "char", "items": self.items, "alphabet": self.alphabet}
