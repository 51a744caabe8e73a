"""A split → batches, time first.

A *stream* of N steps is cut into B lanes, side by side; a batch is the next `steps` of every lane, which starts from
the state that it ended with:

    lane 0    a b c │ d e f │ g h i        batch 0: a b c / j k l,   batch 1: d e f / m n o, …
    lane 1    j k l │ m n o │ p q ·        · is padding: no target

*Items* are separate sequences: each starts from a fresh state; those of similar length share a batch and are padded at
the end. *Windows* are stretches of equal length of one or several series; their targets are the steps after them.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unroll.data.fields import Field, Sequences

Arrays = dict[str, NDArray[Any]]


class Batch(NamedTuple):
    inputs: Arrays      # (T, B) symbols, (T, B, F) reals
    targets: Arrays     # per step (T, B) or (T, B, D), per sequence (B,) or (B, D), forecasts (B, H, D)
    lengths: NDArray[np.int64]      # (B,) steps that are not padding; 0: an empty lane
    fresh: bool                     # whether it starts from a fresh state: the first of a stream, any of items
    valid: int                      # known targets, over all lanes of all ranks
    lanes: tuple[int, int]          # the first of these lanes, and how many there are on all ranks
    items: NDArray[np.int64]        # (B,) the sequence in a lane, -1: none; of a stream, where the lane starts


class StreamLayout:
    """B contiguous lanes of one stream, `steps` of each at a time.

    With `warmup`, every lane first reads that many steps before its own, unscored, so that no target is predicted
    from an empty memory. With `longest`, no more than so many steps of each lane are scored.
    """

    def __init__(self, stream: Sequences, lanes: int, steps: int, warmup: int = 0, longest: int | None = None) -> None:
        self._stream, self._lanes, self._steps, self._warmup = stream, lanes, steps, warmup
        self._total = len(stream)
        self._length = -(-self._total // lanes)
        self._scored = self._length if longest is None else min(longest, self._length)

    def __len__(self) -> int:
        return -(-(self._warmup + self._scored) // self._steps)

    def stretches(self) -> list[slice]:
        """The steps of the stream that each lane scores."""
        starts = [lane * self._length for lane in range(self._lanes)]
        return [slice(start, min(start + self._scored, self._total)) for start in starts if start < self._total]

    def batch(self, index: int, epoch: int = 0, rank: int = 0, ranks: int = 1) -> Batch:
        """Batch `index`; rank r of R gets the r-th stretch of the lanes."""
        steps = np.arange(index * self._steps, min((index + 1) * self._steps, self._warmup + self._scored))
        within = steps[:, None] - self._warmup                                      # (T, 1)
        own = np.arange(rank * self._lanes // ranks, (rank + 1) * self._lanes // ranks)
        place = within + own[None, :] * self._length                                # (T, B)
        scored = (within >= 0) & (place < self._total)
        inputs = {name: _read(field, place, (place >= 0) & (place < self._total))
                  for name, field in self._stream.inputs.items()}
        targets = {name: field.at(place + field.ahead, scored) for name, field in self._stream.targets.items()}
        return Batch(inputs, targets, np.full(len(own), len(steps)), index == 0, self.count_valid(index),
                     (int(own[0]), self._lanes), own * self._length)

    def count_valid(self, index: int, epoch: int = 0) -> int:
        """Known targets in batch `index`, over all ranks."""
        ends = np.clip(self._total - np.arange(self._lanes) * self._length, 0, self._scored)     # (B,)
        first, last = (max(0, (index + more) * self._steps - self._warmup) for more in (0, 1))
        return int((ends.clip(max=last) - ends.clip(max=first)).sum())


class _Shuffled(ABC):
    """Sequences in batches of `size`, whose composition and order depend on (seed, epoch) alone.

    Without a seed they are sorted by length in every epoch, for evaluation.
    """

    def __init__(self, data: Sequences, size: int, seed: int | None) -> None:
        self._data, self._size, self._seed = data, size, seed
        self._order_of = lru_cache(maxsize=1)(self._order)

    def __len__(self) -> int:
        return -(-len(self._data) // self._size)

    @abstractmethod
    def batch(self, index: int, epoch: int = 0, rank: int = 0, ranks: int = 1) -> Batch: ...

    @abstractmethod
    def count_valid(self, index: int, epoch: int = 0) -> int:
        """Known targets in batch `index`, over all ranks."""

    def _lengths(self) -> NDArray[np.int64]:
        return self._data.lengths

    def _order(self, epoch: int) -> list[NDArray[np.int64]]:
        lengths = self._lengths()
        if self._seed is None:
            by_length = np.argsort(lengths, kind="stable")
            return [by_length[at : at + self._size] for at in range(0, len(by_length), self._size)]
        draw = np.random.Generator(np.random.Philox([self._seed % 2**64, epoch]))
        # shuffled before the stable sort, so that items of one length meet others every epoch
        shuffled = draw.permutation(len(lengths))
        by_length = shuffled[np.argsort(lengths[shuffled], kind="stable")]
        batches = [by_length[at : at + self._size] for at in range(0, len(by_length), self._size)]
        return [batches[at] for at in draw.permutation(len(batches))]

    def _lanes_of(self, index: int, epoch: int, rank: int, ranks: int) -> tuple[NDArray[np.int64], int]:
        """The items in this rank's lanes, -1 where a lane is empty, and its first lane."""
        items = self._order_of(epoch)[index]
        lanes = np.full(self._size, -1)
        lanes[: len(items)] = items
        first, last = rank * self._size // ranks, (rank + 1) * self._size // ranks
        return lanes[first:last], first


class ItemLayout(_Shuffled):
    """Separate sequences, of which the first `longest` steps are read."""

    def __init__(self, items: Sequences, size: int, seed: int | None, longest: int | None = None) -> None:
        super().__init__(items, size, seed)
        self._longest = longest

    def batch(self, index: int, epoch: int = 0, rank: int = 0, ranks: int = 1) -> Batch:
        lanes, first = self._lanes_of(index, epoch, rank, ranks)
        assert self._data.bounds is not None
        start = self._data.bounds[lanes.clip(0), 0]
        lengths = np.where(lanes < 0, 0, self._lengths()[lanes.clip(0)])                # (B,)
        # over all ranks; a sequence of one step, which has no next one to predict, is a step of padding
        most = max(1, int(self._lengths()[self._order_of(epoch)[index]].max()))
        step = np.arange(most)[:, None]
        place, known = start[None, :] + step, step < lengths[None, :]                   # (T, B)
        inputs = {name: _read(field, place, known, start) for name, field in self._data.inputs.items()}
        targets = {
            name: field.at(place + field.ahead, known) if field.per == "step" else field.at(lanes, lanes >= 0)
            for name, field in self._data.targets.items()
        }
        return Batch(inputs, targets, lengths, True, self.count_valid(index, epoch), (first, self._size), lanes)

    def count_valid(self, index: int, epoch: int = 0) -> int:
        items = self._order_of(epoch)[index]
        return len(items) if self._data.pooled else int(self._lengths()[items].sum())

    def _lengths(self) -> NDArray[np.int64]:
        lengths = self._data.lengths
        return lengths if self._longest is None else np.minimum(lengths, self._longest)

    def padding(self) -> float:
        """Share of a batch's steps that are padding, over an epoch; empty lanes at the end do not count."""
        batches = [self._lengths()[items] for items in self._order_of(0)]
        steps = sum(len(lengths) * max(1, int(lengths.max())) for lengths in batches)
        return 1 - sum(int(lengths.sum()) for lengths in batches) / steps


class WindowLayout(_Shuffled):
    """Windows of series and the steps after them."""

    def batch(self, index: int, epoch: int = 0, rank: int = 0, ranks: int = 1) -> Batch:
        lanes, first = self._lanes_of(index, epoch, rank, ranks)
        frame, bounds = self._data.frame, self._data.bounds
        assert frame is not None and bounds is not None
        bounds = bounds[lanes.clip(0)]
        (name, series), = self._data.inputs.items()
        window = series.values[bounds[:, 0] + np.arange(frame.rows)[:, None]]            # (rows, B, D)
        future = series.values[bounds[:, 1] + np.arange(frame.forecast.horizon)[:, None]]  # (H, B, D)
        target = frame.target(window, future)
        target[lanes < 0] = np.nan
        lengths = np.where(lanes < 0, 0, frame.forecast.context)
        return Batch({name: frame.encode(window)}, {name: target}, lengths, True, self.count_valid(index, epoch),
                     (first, self._size), lanes)

    def count_valid(self, index: int, epoch: int = 0) -> int:
        return len(self._order_of(epoch)[index])


def _read(
    field: Field, place: NDArray[np.int64], known: NDArray[np.bool_], start: NDArray[np.int64] | int = 0
) -> NDArray[Any]:
    """An input's values, with `fill` before the start where it shows the step before."""
    return field.at(place + field.ahead, known & (place + field.ahead >= start))


Layout = StreamLayout | ItemLayout | WindowLayout


def all_batches(layout: Layout) -> Iterator[Batch]:
    for index in range(len(layout)):
        yield layout.batch(index)
