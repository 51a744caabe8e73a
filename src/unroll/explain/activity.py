"""A language model while it reads a text: its hidden units, and the probabilities of the next symbol."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unroll.data.tokenizers import Tokenizer
from unroll.generation.engine import Ids
from unroll.generation.loop import prime
from unroll.generation.one_field import OneField
from unroll.generation.rules import probabilities
from unroll.generation.symbols import encode_prompt

SHOWN = {" ": "␣", "\n": "⏎", "\t": "⇥"}
Units = NDArray[np.float32]


class Reading(NamedTuple):
    """A text as the model reads it. Place p, 0 … T, is after the first p symbols."""

    symbols: Ids        # (T + 1,), the begin symbol first
    parts: list[str]    # (T,), the text that each adds
    units: Units        # (T + 1, layers, H), at each place


def read(reader: OneField, tokenizer: Tokenizer, text: str) -> Reading:
    """Raises `UserError` on a symbol that a closed vocabulary lacks."""
    symbols = encode_prompt(tokenizer, text)
    decoder = tokenizer.decoder(symbols[:1])
    parts = [decoder.add(symbol) for symbol in symbols[1:].tolist()]
    if parts:
        parts[-1] += decoder.end()
    return Reading(symbols, parts, activities(reader, symbols))


def activities(reader: OneField, symbols: Ids) -> Units:
    """Hidden units after each symbol, (T, layers, H); (T, 0, 0) for a network that reads windows."""
    state, one, units = reader.start(1), np.ones(1, np.int32), []
    for symbol in symbols[:, None, None]:
        _, state = reader.read(symbol, one, state)
        units.append([layer[0].copy() for layer in reader.hidden(state)])
    return np.array(units, np.float32).reshape(len(units), len(units[0]), -1 if units[0] else 0)


def most_varied(units: Units) -> int:
    """The unit of (T, H) whose values have the largest deviation."""
    return int(units.std(axis=0).argmax())


def expected(reader: OneField, symbols: Ids, place: int) -> NDArray[np.float64]:
    """Probabilities (V,) of the symbol at a place, before temperature and every rule."""
    logits, _ = prime(reader, [symbols[: place + 1]])
    return np.asarray(probabilities(logits)[0])


def readable(tokenizer: Tokenizer, symbol: int) -> str:
    """A symbol made visible: ␣ for a space, ⏎ for a newline, hexadecimal for a part of a character."""
    if symbol == tokenizer.unknown:
        return "unknown"
    if tokenizer.end is not None and symbol in (tokenizer.begin, tokenizer.end):
        return "end" if symbol == tokenizer.end else "begin"
    text = tokenizer.decode(np.array([symbol]))
    if "\ufffd" in text:
        return (tokenizer.vocabulary[symbol] or b"").hex(" ")
    return "".join(SHOWN.get(character) or (character if character.isprintable() else f"\\u{ord(character):04x}")
                   for character in text)
