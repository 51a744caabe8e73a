"""Words and punctuation marks; what a text was like between them is not kept."""

import re
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from unroll.base.errors import UserError
from unroll.data.tokenizers.base import Decoder, Ids, Tokenizer

if TYPE_CHECKING:
    from unroll.config.tokens import WordTokenizer

WORD = re.compile(r"\n|\w+(?:['’]\w+)*|[^\w\s]")
UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")


class Words(Tokenizer):
    """Symbol 0 is the unknown one, 1 … n the sorted words. Spaces are not kept: decoding puts usual ones."""

    unknown = 0

    def __init__(self, words: list[str], lowercase: bool, items: bool) -> None:
        self.items, self.words, self.lowercase = items, words, lowercase
        self._numbers = {word: number for number, word in enumerate(words, 1)}
        self._bounds(1 + len(words), self._numbers.get("\n", self.unknown))

    @classmethod
    def train(cls, config: "WordTokenizer", items: bool, pieces: Iterable[str]) -> "Words":
        """Raises `UserError` on a script that puts no spaces between words (Han, Kana, Thai, Lao, Burmese, Khmer)."""
        counts: Counter[str] = Counter()
        letters = unspaced = 0
        for piece in pieces:
            counts.update(WORD.findall(piece.lower() if config.lowercase else piece))
            letters += sum(map(str.isalpha, piece))
            unspaced += len(UNSPACED.findall(piece))
        if unspaced > 0.3 * letters:
            raise UserError(
                "data.tokenizer: word needs spaces between words, which most of this text's script does not put. "
                "Choose data/tokenizer=char or bpe."
            )
        return cls(sorted(word for word, count in counts.items() if count >= config.min_count),
                   config.lowercase, items)

    def encode(self, text: str) -> Ids:
        return np.array([self._numbers.get(word, self.unknown) for word in self.parts(text)], np.int64)

    def parts(self, text: str) -> list[str]:
        return WORD.findall(text.lower() if self.lowercase else text)

    def decode(self, ids: Ids) -> str:
        decoder = self.decoder(np.zeros(0, np.int64))
        return "".join(decoder.add(each) for each in np.asarray(ids).tolist())

    @property
    def vocabulary(self) -> list[bytes | None]:
        raise UserError("the model's symbols are words, and the spaces between them depend on both. Use a model of "
                        "characters, bytes or BPE.")

    def decoder(self, before: Ids) -> Decoder:
        return _Spaced(["\ufffd", *self.words], before)

    def state(self) -> dict[str, Any]:
        return {"kind": "word", "items": self.items, "lowercase": self.lowercase, "words": self.words}


class _Spaced(Decoder):
    """Words with the usual spaces: none at a line's ends, before closing punctuation, after an opening bracket."""

    def __init__(self, words: list[str], before: Ids) -> None:
        self._words, self._last = words, ""
        for each in np.asarray(before).tolist()[1:][-1:]:      # nobody reads the begin symbol
            self.add(each)

    def add(self, symbol: int) -> str:
        if symbol >= len(self._words):      # the begin or the end of an item
            return ""
        word, last = self._words[symbol], self._last
        self._last = word
        return word if last in ("", "\n", *"([{") or word in ("\n", *".,;:!?%)]}") else f" {word}"

    def end(self) -> str:
        return ""
