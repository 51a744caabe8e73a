"""What goes on in a language model while it reads a text: its hidden units, and what it expects next."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unroll.data.tokenizers import Tokenizer
from unroll.generation.engine import Ids, OnnxEngine
from unroll.generation.loop import prime
from unroll.generation.rules import probabilities
from unroll.generation.symbols import encode_prompt

SHOWN = {" ": "␣", "\n": "⏎", "\t": "⇥"}
Units = NDArray[np.float32]


class Reading(NamedTuple):
    """A text as the model reads it. Place p is the moment after the first p symbols, 0 … T."""

    symbols: Ids        # (T + 1,), the begin symbol first
    parts: list[str]    # (T,), what each adds to the text
    units: Units        # (T + 1, layers, H), at each place


def read(engine: OnnxEngine, tokenizer: Tokenizer, text: str) -> Reading:
    """Raises `UserError` on a symbol that a closed vocabulary lacks."""
    symbols = encode_prompt(tokenizer, text)
    decoder = tokenizer.decoder(symbols[:1])
    parts = [decoder.add(each) for each in symbols[1:].tolist()]
    if parts:
        parts[-1] += decoder.end()
    return Reading(symbols, parts, activities(engine, symbols))


def activities(engine: OnnxEngine, symbols: Ids) -> Units:
    """Hidden states after each symbol, (T, layers, H); a network that looks at windows has none, (T, 0, 0)."""
    hidden = [at for at, name in enumerate(engine.parts) if name.endswith(".h")]
    if not hidden:
        return np.zeros((len(symbols), 0, 0), np.float32)
    state, one, kept = engine.start(1), np.ones(1, np.int32), []
    for symbol in symbols[:, None, None]:
        _, state = engine.read(symbol, one, state)
        kept.append([state[at][0, 0] for at in hidden])
    return np.array(kept)


def most_varied(units: Units) -> int:
    """Of (T, H) the unit whose values spread most."""
    return int(units.std(axis=0).argmax())


def expected(engine: OnnxEngine, symbols: Ids, place: int) -> NDArray[np.float64]:
    """Probabilities (V,) of what comes at a place; before temperature and every rule."""
    logits, _ = prime(engine, [symbols[: place + 1]])
    return np.asarray(probabilities(logits)[0])


def readable(tokenizer: Tokenizer, symbol: int) -> str:
    """A symbol as an eye sees it: ␣ for a space, ⏎ for a newline, hexadecimal for a part of a character."""
    if symbol == tokenizer.unknown:
        return "unknown"
    if tokenizer.end is not None and symbol in (tokenizer.begin, tokenizer.end):
        return "end" if symbol == tokenizer.end else "begin"
    text = tokenizer.decode(np.array([symbol]))
    if "\ufffd" in text:
        return (tokenizer.vocabulary[symbol] or b"").hex(" ")
    return "".join(SHOWN.get(each) or (each if each.isprintable() else f"\\u{ord(each):04x}") for each in text)
