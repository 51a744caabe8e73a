"""Text and what its predictions cost, in the units that readers compare."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.data.fields import Sequences
from unroll.data.source import Split
from unroll.data.spec import Spec
from unroll.data.store import Prepared, decode, sequences
from unroll.data.tokenizers import Tokenizer


@dataclass(frozen=True)
class Text:
    """A split, or its beginning, in the units that losses are reported in."""

    tokens: NDArray[np.unsignedinteger[Any]]
    offsets: NDArray[np.int64] | None
    characters: int
    bytes: int

    def sequences(self, spec: Spec, field: str) -> Sequences:
        """As batches are cut from it."""
        return sequences(spec, {field: self.tokens}, self.offsets)


def read_split(prepared: Prepared, field: str, tokenizer: Tokenizer, split: Split, limit: int | None = None) -> Text:
    """The split; with `limit`, at most so many symbols of it, and whole items."""
    tokens, offsets = prepared.tokens(field, split), prepared.offsets(split)
    counted = prepared.spec.splits[split]
    if limit is None or len(tokens) <= limit:
        return Text(tokens, offsets, counted.characters, counted.bytes)
    if offsets is not None:
        offsets = offsets[: max(2, int(np.searchsorted(offsets, limit, side="right")))]
        limit = int(offsets[-1])
    tokens = tokens[:limit]
    text = decode(tokenizer, tokens, offsets)
    return Text(tokens, offsets, len(text), len(text.encode()))


def losses(nats: float, text: Text, prefix: str) -> dict[str, float]:
    """Nats in the units that readers compare: per symbol, and bits per character and byte of the source."""
    loss = nats / len(text.tokens)
    return {
        f"{prefix}loss": loss,
        f"{prefix}perplexity": math.exp(min(loss, 700)),
        f"{prefix}bpc": nats / math.log(2) / text.characters,
        f"{prefix}bpb": nats / math.log(2) / text.bytes,
    }
