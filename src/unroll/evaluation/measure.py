"""Texts, and losses in the units that are compared: bits per character and per byte."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unroll.data.fields import Sequences, sequences
from unroll.data.parts import decode, some_steps
from unroll.data.source import Split
from unroll.data.spec import Spec
from unroll.data.store import Prepared
from unroll.data.tokenizers import Ids, Tokenizer


@dataclass(frozen=True)
class Text:
    """A split or a part of it, and its sizes in the units of losses."""

    tokens: Ids
    offsets: NDArray[np.int64] | None
    characters: int
    bytes: int

    def sequences(self, spec: Spec, field: str) -> Sequences:
        """The text as batches are cut from it."""
        return sequences(spec, {field: self.tokens}, self.offsets)


def read_split(prepared: Prepared, field: str, tokenizer: Tokenizer, split: Split, limit: int | None = None) -> Text:
    """The split; with `limit`, about so many symbols of it, spread evenly: whole items, or stretches of a stream."""
    tokens, offsets = prepared.tokens(field, split), prepared.offsets(split)
    counted = prepared.spec.splits[split]
    if limit is None or len(tokens) <= limit:
        return Text(tokens, offsets, counted.characters, counted.bytes)
    return count(tokenizer, *some_steps(tokens, offsets, limit))


def count(tokenizer: Tokenizer, tokens: Ids, offsets: NDArray[np.int64] | None) -> Text:
    """Tokens as a text; its characters and bytes are counted by decoding it."""
    text = decode(tokenizer, tokens, offsets)
    return Text(tokens, offsets, len(text), len(text.encode()))


def losses(nats: float, text: Text, prefix: str) -> dict[str, float]:
    """The sum `nats` over a text as loss and perplexity per symbol, and as bits per character and per byte."""
    loss = nats / len(text.tokens)
    return {
        f"{prefix}loss": loss,
        f"{prefix}perplexity": math.exp(min(loss, 700)),
        f"{prefix}bpc": nats / math.log(2) / text.characters,
        f"{prefix}bpb": nats / math.log(2) / text.bytes,
    }
