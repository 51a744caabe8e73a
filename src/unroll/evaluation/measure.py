"""What a network's predictions cost on a split."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import cross_entropy

from unroll.data.batches import IGNORED, ItemLayout, Layout, StreamLayout, all_batches
from unroll.data.sources import Split
from unroll.data.store import Prepared, decode
from unroll.data.tokenizers import Tokenizer
from unroll.models.cells import State
from unroll.models.network import Network

STEPS = 256     # of a lane at a time; without a gradient only memory limits it


@dataclass(frozen=True)
class Text:
    """A split, or its beginning, in the units that losses are reported in."""

    tokens: NDArray[np.unsignedinteger[Any]]
    offsets: NDArray[np.int64] | None
    characters: int
    bytes: int


def read_split(prepared: Prepared, field: str, tokenizer: Tokenizer, split: Split, limit: int | None = None) -> Text:
    """The split; with `limit`, at most so many symbols of it, and whole items."""
    tokens, offsets = prepared.tokens(field, split), prepared.offsets(field, split)
    counted = prepared.spec["splits"][split]
    if limit is None or len(tokens) <= limit:
        return Text(tokens, offsets, counted["characters"], counted["bytes"])
    if offsets is not None:
        offsets = offsets[: max(2, int(np.searchsorted(offsets, limit, side="right")))]
        limit = int(offsets[-1])
    tokens = tokens[:limit]
    text = decode(tokenizer, tokens, offsets)
    return Text(tokens, offsets, len(text), len(text.encode()))


def layout_of(text: Text, begin: int, lanes: int, warmup: int) -> Layout:
    if text.offsets is not None:
        return ItemLayout(text.tokens, text.offsets, begin, lanes, seed=0)
    return StreamLayout(text.tokens, begin, min(lanes, len(text.tokens)), STEPS, warmup)


@torch.inference_mode()
def total_nats(network: Network, field: str, layout: Layout) -> float:
    """Summed over every symbol once, the state carried along (a static evaluation: the weights stay as they are)."""
    nats, state = 0.0, None
    for batch in all_batches(layout):
        before: list[State] | None = None if batch.fresh else state
        outputs, state = network({field: torch.from_numpy(batch.inputs)}, before)
        target = torch.from_numpy(batch.targets).flatten()
        logits = outputs[field].flatten(0, 1)
        nats += float(cross_entropy(logits, target, ignore_index=IGNORED, reduction="sum"))
    return nats


def losses(nats: float, text: Text, prefix: str) -> dict[str, float]:
    """Nats in the units that readers compare: per symbol, and bits per character and byte of the source."""
    loss = nats / len(text.tokens)
    return {
        f"{prefix}loss": loss,
        f"{prefix}perplexity": math.exp(min(loss, 700)),
        f"{prefix}bpc": nats / math.log(2) / text.characters,
        f"{prefix}bpb": nats / math.log(2) / text.bytes,
    }
