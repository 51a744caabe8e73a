"""Parts of a split that stand for all of it: taken evenly, since splits may be sorted, by class or by origin."""

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.data.tokenizers import Ids, Tokenizer

STRETCHES = 16      # of a stream


def spread(total: int, count: int) -> NDArray[np.int64]:
    """`count` of `total` indices, evenly spaced and rising; all of them when there are no more."""
    count = min(count, total)
    return np.arange(count, dtype=np.int64) * total // max(1, count)


def some_sequences(lengths: NDArray[np.int64], limit: int) -> NDArray[np.int64]:
    """Indices of sequences that have about `limit` steps together: one at least, all when they have no more."""
    total = int(lengths.sum())
    return spread(len(lengths), len(lengths) if total <= limit else max(1, len(lengths) * limit // total))


def some_steps(
    values: NDArray[Any], offsets: NDArray[np.int64] | None, limit: int
) -> tuple[NDArray[Any], NDArray[np.int64] | None]:
    """About `limit` steps and their offsets: whole sequences, or `STRETCHES` stretches of a stream (no offsets)."""
    if len(values) <= limit:
        return values, offsets
    if offsets is None:
        length = max(1, limit // STRETCHES)
        starts = spread(len(values), min(STRETCHES, limit))
        return np.concatenate([values[start : start + length] for start in starts]), None
    kept = some_sequences(np.diff(offsets), limit)
    bounds = list(pairwise(np.asarray(offsets)))
    parts = [values[bounds[at][0] : bounds[at][1]] for at in kept]
    return np.concatenate(parts), np.cumsum([0, *map(len, parts)])


def decode(tokenizer: Tokenizer, tokens: Ids, offsets: NDArray[np.int64] | None) -> str:
    """The text of a split or of a part of it, each short item on a line of its own."""
    if offsets is None:
        return tokenizer.decode(tokens)
    return "".join(tokenizer.decode(tokens[start:stop]) + "\n" for start, stop in pairwise(offsets))
