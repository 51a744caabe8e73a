"""Text ↔ symbols. Fitted on the training split alone; `byte` and `bpe` give back any text exactly."""

import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.config.tokens import BPETokenizer, ByteTokenizer, CharTokenizer, WordTokenizer
from unroll.errors import UserError

Ids = NDArray[np.integer[Any]]


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

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """Plain values that `restore` makes the tokenizer from."""


def fit(
    config: ByteTokenizer | CharTokenizer | BPETokenizer | WordTokenizer, items: bool, pieces: Iterable[str]
) -> Tokenizer:
    """A tokenizer for one stream, or for short `items`."""
    match config:
        case ByteTokenizer():
            return Bytes(items)
        case CharTokenizer():
            counts: Counter[str] = Counter()
            for piece in pieces:
                counts.update(piece)
            alphabet = "".join(sorted(each for each, count in counts.items() if count >= config.min_count))
            return Chars(alphabet, items)
        case BPETokenizer():
            return BPE.train(config, items, pieces)
        case WordTokenizer():
            return Words.train(config, items, pieces)


def restore(state: dict[str, Any]) -> Tokenizer:
    """A tokenizer from its `state`."""
    match state["kind"]:
        case "byte":
            return Bytes(state["items"])
        case "char":
            return Chars(state["alphabet"], state["items"])
        case "bpe":
            return BPE(state["model"], state["items"])
        case "word":
            return Words(state["words"], state["lowercase"], state["items"])
    raise UserError(f"tokenizer.json: unknown kind {state['kind']!r}; it was written by another version.")


class Bytes(Tokenizer):
    def __init__(self, items: bool) -> None:
        self.items = items
        self._bounds(256, ord("\n"))

    def encode(self, text: str) -> Ids:
        return np.frombuffer(text.encode(), np.uint8).astype(np.uint16)

    def decode(self, ids: Ids) -> str:
        ids = np.asarray(ids)
        return ids[ids < 256].astype(np.uint8).tobytes().decode(errors="replace")

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

    def encode(self, text: str) -> Ids:
        points = np.frombuffer(text.encode("utf-32-le"), "<u4")
        if not len(self._points):
            return np.zeros(len(points), np.int64)
        place = np.searchsorted(self._points, points).clip(max=len(self._points) - 1)
        return np.where(self._points[place] == points, place + 1, self.unknown)

    def decode(self, ids: Ids) -> str:
        ids = np.asarray(ids, np.int64)
        return self._shown[ids[ids <= len(self.alphabet)]].tobytes().decode("utf-32-le")

    def state(self) -> dict[str, Any]:
        return {"kind": "char", "items": self.items, "alphabet": self.alphabet}


class BPE(Tokenizer):
    def __init__(self, model: str, items: bool) -> None:
        from tokenizers import Tokenizer as Library

        self.items, self._model = items, model
        self._library = Library.from_str(model)
        symbols = self._library.get_vocab_size()
        newline = self._library.encode("\n").ids[0]
        self._bounds(symbols, newline)

    @classmethod
    def train(cls, config: BPETokenizer, items: bool, pieces: Iterable[str]) -> "BPE":
        from tokenizers import Tokenizer as Library
        from tokenizers import decoders, models, pre_tokenizers, trainers

        library = Library(models.BPE())
        library.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        library.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=config.vocab_size,
            min_frequency=config.min_frequency,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
        library.train_from_iterator(pieces, trainer)
        return cls(library.to_str(), items)

    def encode(self, text: str) -> Ids:
        return np.array(self._library.encode(text).ids, np.int64)

    def decode(self, ids: Ids) -> str:
        ids = np.asarray(ids)
        text: str = self._library.decode(ids[ids < self._library.get_vocab_size()].tolist())
        return text

    def state(self) -> dict[str, Any]:
        return {"kind": "bpe", "items": self.items, "model": self._model}


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
    def train(cls, config: WordTokenizer, items: bool, pieces: Iterable[str]) -> "Words":
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
        words = ["\ufffd" if each == 0 else self.words[each - 1] for each in np.asarray(ids) if each <= len(self.words)]
        text = " ".join(words)
        text = re.sub(r" ?\n ?", "\n", text)
        text = re.sub(r" ([.,;:!?%)\]}])", r"\1", text)
        return re.sub(r"([(\[{]) ", r"\1", text)

    def state(self) -> dict[str, Any]:
        return {"kind": "word", "items": self.items, "lowercase": self.lowercase, "words": self.words}
