"""Text ↔ symbols. Fitted on the training split alone; `byte` and `bpe` give back any text exactly."""

import codecs
import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from unroll.errors import UserError

if TYPE_CHECKING:       # to sample, nothing of a configuration is needed
    from unroll.config.tokens import BPETokenizer, ByteTokenizer, CharTokenizer, WordTokenizer

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
    def vocabulary(self) -> list[bytes | None]:
        """What each symbol adds to the text, in UTF-8, a part of a character if so; None: nothing of its own.

        Raises `UserError` where that depends on what stands before it.
        """

    def decoder(self, before: Ids) -> "Decoder":
        """Text as it comes, after the symbols `before`, the begin symbol and a prompt."""
        return Decoder(self._parts)

    @cached_property
    def _parts(self) -> list[bytes]:
        return [each or b"" for each in self.vocabulary()]

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """Plain values that `restore` makes the tokenizer from."""


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


def fit(
    config: "ByteTokenizer | CharTokenizer | BPETokenizer | WordTokenizer", items: bool, pieces: Iterable[str]
) -> Tokenizer:
    """A tokenizer for one stream, or for short `items`."""
    from unroll.config.tokens import BPETokenizer, ByteTokenizer, CharTokenizer, WordTokenizer

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

    def encode(self, text: str) -> Ids:
        points = np.frombuffer(text.encode("utf-32-le"), "<u4")
        if not len(self._points):
            return np.zeros(len(points), np.int64)
        place = np.searchsorted(self._points, points).clip(max=len(self._points) - 1)
        return np.where(self._points[place] == points, place + 1, self.unknown)

    def decode(self, ids: Ids) -> str:
        ids = np.asarray(ids, np.int64)
        return self._shown[ids[ids <= len(self.alphabet)]].tobytes().decode("utf-32-le")

    def vocabulary(self) -> list[bytes | None]:
        return [None, *(each.encode() for each in self.alphabet), *[None] * (self.size - 1 - len(self.alphabet))]

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
    def train(cls, config: "BPETokenizer", items: bool, pieces: Iterable[str]) -> "BPE":
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

    def vocabulary(self) -> list[bytes | None]:
        number = _byte_level()
        count = self._library.get_vocab_size()
        tokens = (self._library.id_to_token(each) for each in range(count))
        return [*(bytes(number[each] for each in token or "") for token in tokens), *[None] * (self.size - count)]

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


@cache
def _byte_level() -> dict[str, int]:
    """Of each character that GPT-2's tokens are written in, the byte that it stands for (Radford et al., 2019)."""
    shown = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    hidden = [each for each in range(256) if each not in shown]
    return {chr(each): each for each in shown} | {chr(256 + place): each for place, each in enumerate(hidden)}
