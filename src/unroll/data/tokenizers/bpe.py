"""Pairs of bytes, the most frequent of them merged (Sennrich et al., 2016), by Hugging Face's library."""

from collections.abc import Iterable
from functools import cache, cached_property
from typing import Any

import numpy as np

from unroll.base.errors import UserError
from unroll.config.tokenizers.bpe import Settings
from unroll.data.tokenizers.base import Ids, Tokenizer


class Fitted(Tokenizer):
    expression = 'tokenizers.Tokenizer.from_str(known["model"]).encode(text).ids'
    modules = ("tokenizers",)

    def __init__(self, model: str, items: bool) -> None:
        from tokenizers import Tokenizer as Library

        self.items, self._model = items, model
        self._library = Library.from_str(model)
        symbols = self._library.get_vocab_size()
        newline = self._library.encode("\n").ids[0]
        self._bounds(symbols, newline)

    @classmethod
    def fit(cls, settings: Settings, items: bool, pieces: Iterable[str]) -> "Fitted":
        from tokenizers import Tokenizer as Library
        from tokenizers import decoders, models, pre_tokenizers, trainers

        library = Library(models.BPE())
        library.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        library.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=settings.vocab_size,
            min_frequency=settings.min_frequency,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
        library.train_from_iterator(pieces, trainer)
        return cls(library.to_str(), items)

    @classmethod
    def restore(cls, state: dict[str, Any]) -> "Fitted":
        return cls(state["model"], state["items"])

    @classmethod
    def count(cls, text: str) -> int:
        raise UserError("conflict", "data.tokenizer", "bpe merges what is often side by side, so that nothing can be "
                        "known beforehand of single symbols. Choose data/tokenizer=char.")

    def encode(self, text: str) -> Ids:
        return np.array(self._library.encode(text).ids, np.int64)

    def decode(self, ids: Ids) -> str:
        ids = np.asarray(ids)
        text: str = self._library.decode(ids[ids < self._library.get_vocab_size()].tolist())
        return text

    @cached_property
    def vocabulary(self) -> list[bytes | None]:
        number = _byte_level()
        count = self._library.get_vocab_size()
        tokens = (self._library.id_to_token(symbol) for symbol in range(count))
        written = (bytes(number[character] for character in token or "") for token in tokens)
        return [*written, *[None] * (self.size - count)]

    def state(self) -> dict[str, Any]:
        return {"kind": "bpe", "items": self.items, "model": self._model}


@cache
def _byte_level() -> dict[str, int]:
    """The byte behind each character that GPT-2's tokens are written in (Radford et al., 2019)."""
    shown = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    hidden = [byte for byte in range(256) if byte not in shown]
    return {chr(byte): byte for byte in shown} | {chr(256 + place): byte for place, byte in enumerate(hidden)}
