"""The loop: prompts are read, then every lane goes on with what it drew."""

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from unroll.data.tokenizers import Tokenizer
from unroll.errors import UserError
from unroll.sampling.engine import Engine
from unroll.sampling.rules import Rule, draw

S = TypeVar("S")
Ids = NDArray[np.integer[Any]]


def generate(
    engine: Engine[S], prompts: Sequence[Ids], length: int, rule: Rule, seeds: Sequence[tuple[int, int]],
    end: int | None,
) -> list[Ids]:
    """`length` symbols after each prompt (fewer where `end` is drawn); prompts start with the begin symbol.

    Each lane's draws follow from its own seed alone. Prompts of unequal length need no padding: a lane draws from
    the moment its own prompt is read, and stops when it has enough.
    """
    uniform = np.stack([np.random.Generator(np.random.Philox([a % 2**64, b])).random(length) for a, b in seeds])
    lanes, lengths = np.arange(len(prompts)), np.array([len(prompt) for prompt in prompts])
    symbols = np.zeros((lengths.max() + length, len(prompts)), np.int64)
    for lane, prompt in enumerate(prompts):
        symbols[: len(prompt), lane] = prompt
    stop = lengths + length                             # one past the last symbol of each lane
    state = engine.start(len(prompts))
    for at in range(len(symbols) - 1):
        logits, state = engine.step(symbols[at], state)
        drawing = (at + 1 >= lengths) & (at + 1 < stop)
        if drawing.any():
            chosen = draw(rule(logits[drawing]), uniform[lanes[drawing], at + 1 - lengths[drawing]])
            symbols[at + 1, drawing] = chosen
            if end is not None:
                stop[lanes[drawing][chosen == end]] = at + 1
        if (at + 2 >= stop).all():
            break
    return [symbols[1 : stop[lane], lane] for lane in lanes]


def encode_prompt(tokenizer: Tokenizer, prompt: str) -> Ids:
    """The begin symbol and the prompt; raises `UserError` naming a symbol that a closed vocabulary lacks."""
    ids = tokenizer.encode(prompt)
    if tokenizer.unknown is not None and (ids == tokenizer.unknown).any():
        place = int(np.argmax(ids == tokenizer.unknown))
        raise UserError(
            f"prompt {prompt!r}: the model never saw {tokenizer.parts(prompt)[place]!r} (symbol {place + 1}). Leave it "
            "out, or train with data/tokenizer=byte or bpe, which know every symbol."
        )
    return np.concatenate([[tokenizer.begin], ids]).astype(np.int64)


def special(tokenizer: Tokenizer) -> list[int]:
    """Symbols that no sample may contain: the unknown one, and the begin of an item."""
    begin = [tokenizer.begin] if tokenizer.end is not None else []
    return begin + ([tokenizer.unknown] if tokenizer.unknown is not None else [])
