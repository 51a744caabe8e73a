"""Arrays → batches, time first. Two layouts; both read `begin` before the first symbol of a sequence.

A *stream* of N symbols lies in B lanes, side by side; a batch is the next `steps` of every lane, and the state
that a lane ends with is the one it goes on with:

    lane 0    a b c │ d e f │ g h i        batch 0: a b c / j k l,   batch 1: d e f / m n o, …
    lane 1    j k l │ m n o │ p q ·        · is padding: no target

*Items* are short sequences of their own: each starts from a fresh state, neighbours in length share a batch.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

IGNORED = -100      # a target that does not count

Tokens = NDArray[np.unsignedinteger[Any]]


class Batch(NamedTuple):
    inputs: NDArray[np.int64]       # (T, B)
    targets: NDArray[np.int64]      # (T, B), IGNORED where there is nothing to predict
    fresh: bool                     # starts from a fresh state: the first of a stream, any of items
    valid: int                      # targets that count, over all lanes of all ranks
    lanes: tuple[int, int]          # which lanes of how many these are: first, total


class StreamLayout:
    """B contiguous lanes of one stream, `steps` of each at a time.

    With `warmup`, every lane first reads that many symbols before its own, unscored, so that no target is predicted
    from an empty memory; what lies before the stream is `begin`.
    """

    def __init__(self, tokens: Tokens, begin: int, lanes: int, steps: int, warmup: int = 0) -> None:
        self._tokens, self._begin, self._lanes, self._steps, self._warmup = tokens, begin, lanes, steps, warmup
        self._length = -(-len(tokens) // lanes)

    def __len__(self) -> int:
        return -(-(self._warmup + self._length) // self._steps)

    def batch(self, index: int, epoch: int = 0, rank: int = 0, ranks: int = 1) -> Batch:
        """Batch `index`; rank r of R gets the r-th stretch of the lanes."""
        steps = np.arange(index * self._steps, min((index + 1) * self._steps, self._warmup + self._length))
        within = steps[:, None] - self._warmup                                      # (T, 1)
        place = within + np.arange(self._lanes)[None, :] * self._length             # (T, B)
        scored = (within >= 0) & (place < len(self._tokens))
        known = place.clip(0, len(self._tokens) - 1)
        targets = np.where(scored, self._tokens[known].astype(np.int64), IGNORED)
        read = self._tokens[(place - 1).clip(0, len(self._tokens) - 1)].astype(np.int64)
        before = np.where(place > 0, read, self._begin)
        own = slice(rank * self._lanes // ranks, (rank + 1) * self._lanes // ranks)
        return Batch(
            np.ascontiguousarray(before[:, own]),
            np.ascontiguousarray(targets[:, own]),
            index == 0,
            int(scored.sum()),
            (own.start, self._lanes),
        )

    def count_valid(self, index: int, epoch: int = 0) -> int:
        """Targets that count in batch `index`."""
        ends = np.clip(len(self._tokens) - np.arange(self._lanes) * self._length, 0, self._length)     # (B,)
        first, last = (max(0, (index + more) * self._steps - self._warmup) for more in (0, 1))
        return int((ends.clip(max=last) - ends.clip(max=first)).sum())


class ItemLayout:
    """Short items, bucketed by length; which items meet and in what order depends on (seed, epoch) alone."""

    def __init__(
        self, tokens: Tokens, offsets: NDArray[np.int64], begin: int, size: int, seed: int, longest: int | None = None
    ) -> None:
        self._tokens, self._offsets, self._begin, self._size, self._seed = tokens, offsets, begin, size, seed
        self._longest = longest     # items are cut there: what back-propagation can reach
        self._order_of = lru_cache(maxsize=1)(self._order)

    def __len__(self) -> int:
        return -(-(len(self._offsets) - 1) // self._size)

    def batch(self, index: int, epoch: int = 0, rank: int = 0, ranks: int = 1) -> Batch:
        chosen = self._order_of(epoch)[index]
        rows = [self._tokens[self._offsets[i] : self._offsets[i + 1]][: self._longest] for i in chosen]
        targets = np.full((max(map(len, rows)), self._size), IGNORED, np.int64)     # (T, B)
        for lane, row in enumerate(rows):
            targets[: len(row), lane] = row
        inputs = np.concatenate([np.full((1, self._size), self._begin), targets[:-1].clip(0)])
        own = slice(rank * self._size // ranks, (rank + 1) * self._size // ranks)
        return Batch(
            np.ascontiguousarray(inputs[:, own]),
            np.ascontiguousarray(targets[:, own]),
            True,
            int((targets != IGNORED).sum()),
            (own.start, self._size),
        )

    def count_valid(self, index: int, epoch: int = 0) -> int:
        """Targets that count in batch `index`."""
        lengths = np.diff(self._offsets)[self._order_of(epoch)[index]]
        return int(np.minimum(lengths, self._longest or lengths.max()).sum())

    def _order(self, epoch: int) -> list[NDArray[np.int64]]:
        draw = np.random.Generator(np.random.Philox([self._seed % 2**64, epoch]))
        lengths = np.diff(self._offsets)
        # shuffled before the stable sort, so that items of one length meet others every epoch
        shuffled = draw.permutation(len(lengths))
        by_length = shuffled[np.argsort(lengths[shuffled], kind="stable")]
        batches = [by_length[at : at + self._size] for at in range(0, len(by_length), self._size)]
        return [batches[at] for at in draw.permutation(len(batches))]


Layout = StreamLayout | ItemLayout


def all_batches(layout: Layout) -> Iterator[Batch]:
    for index in range(len(layout)):
        yield layout.batch(index)
