"""Words and punctuation marks; the spaces between them are not kept."""

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np

from unroll.base.errors import UserError
from unroll.config.tokenizers.word import Settings
from unroll.data.tokenizers.base import Decoder, Ids, Tokenizer

WORD = re.compile(r"\n|\w+(?:['’]\w+)*|[^\w\s]")
UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")


class Fitted(Tokenizer):
    """Symbol 0 is the unknown one, 1 … n the sorted words; decoding puts the usual spaces between them.

    Lower case is made of each word by itself: it can be longer than what it is made of ("İ" becomes two characters),
    and a text that was split afterwards would have other words.
    """

    unknown = 0
    joint = " "     # words would run into each other
    expression = f'''[known["words"].index(word) + 1 if word in known["words"] else 0
                for found in re.findall({WORD.pattern!r}, text)
                for word in [found.lower() if known["lowercase"] else found]]'''
    modules = ("re",)

    def __init__(self, words: list[str], lowercase: bool, items: bool) -> None:
        self.items, self.words, self.lowercase = items, words, lowercase
        self._numbers = {word: number for number, word in enumerate(words, 1)}
        self._bounds(1 + len(words), self._numbers.get("\n", self.unknown))

    @classmethod
    def fit(cls, settings: Settings, items: bool, pieces: Iterable[str]) -> "Fitted":
        """Raises `UserError` on a script that puts no spaces between words (Han, Kana, Thai, Lao, Burmese, Khmer)."""
        counts: Counter[str] = Counter()
        letters = Letters()
        for piece in pieces:
            counts.update(_words(piece, settings.lowercase))
            letters.add(piece)
        if letters.unspaced:
            raise UserError("conflict", "data.tokenizer", "word needs spaces between words, which most of this text's "
                            "script does not put. Choose data/tokenizer=char or bpe.")
        frequent = sorted(word for word, count in counts.items() if count >= settings.min_count)
        return cls(frequent, settings.lowercase, items)

    @classmethod
    def restore(cls, state: dict[str, Any]) -> "Fitted":
        return cls(state["words"], state["lowercase"], state["items"])

    @classmethod
    def split(cls, text: str) -> list[str]:
        return WORD.findall(text)

    def extended(self, pieces: Iterable[str], least: int) -> "Fitted":
        counts: Counter[str] = Counter()
        for piece in pieces:
            counts.update(_words(piece, self.lowercase))
        frequent = {word for word, count in counts.items() if count >= least}
        return Fitted(sorted({*self.words} | frequent), self.lowercase, self.items)

    def encode(self, text: str) -> Ids:
        words = _words(text, self.lowercase)
        return np.array([self._numbers.get(word, self.unknown) for word in words], np.int64)

    def decode(self, ids: Ids) -> str:
        decoder = self.decoder(np.zeros(0, np.int64))
        return "".join(decoder.add(symbol) for symbol in np.asarray(ids).tolist())

    @property
    def vocabulary(self) -> list[bytes | None]:
        raise UserError("unsupported", "tokenizer", "the model's symbols are words, and the spaces between them depend "
                        "on both. Use a model of characters, bytes or BPE.")

    def decoder(self, before: Ids) -> Decoder:
        return _Spaced(["\ufffd", *self.words], before)

    def state(self) -> dict[str, Any]:
        return {"kind": "word", "items": self.items, "lowercase": self.lowercase, "words": self.words}


class Letters:
    """The letters of a text that comes in pieces."""

    def __init__(self) -> None:
        self._all = self._unspaced = 0

    def add(self, piece: str) -> None:
        self._all += sum(map(str.isalpha, piece))
        self._unspaced += len(UNSPACED.findall(piece))

    @property
    def unspaced(self) -> bool:
        """Whether many characters belong to a script without spaces, where words cannot be separated."""
        return self._unspaced > 0.3 * self._all


def _words(text: str, lowercase: bool) -> list[str]:
    words = WORD.findall(text)
    return [word.lower() for word in words] if lowercase else words


class _Spaced(Decoder):
    """Words with the usual spaces: none at a line's ends, before closing punctuation, after an opening bracket."""

    def __init__(self, words: list[str], before: Ids) -> None:
        self._words, self._last = words, ""
        for symbol in np.asarray(before).tolist()[1:][-1:]:     # the begin symbol is not shown
            self.add(symbol)

    def add(self, symbol: int) -> str:
        if symbol >= len(self._words):      # the begin or the end of an item
            return ""
        word, last = self._words[symbol], self._last
        self._last = word
        return word if last in ("", "\n", *"([{") or word in ("\n", *".,;:!?%)]}") else f" {word}"

    def end(self) -> str:
        return ""
