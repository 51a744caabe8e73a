"""A split → batches, time first.

A *stream* of N steps is cut into B lanes, side by side; a batch is the next `steps` of every lane, which starts from
the state that it ended with:

    lane 0    a b c │ d e f │ g h i        batch 0: a b c / j k l,   batch 1: d e f / m n o, …
    lane 1    j k l │ m n o │ p q ·        · is padding: no target

*Items* are separate sequences: each starts from a fresh state; those of similar length share a batch and are padded at
the end. Those longer than a batch reaches are read in consecutive batches, like lanes of a stream. *Windows* are
stretches of equal length of one or several series; their targets are the steps after them.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unroll.data.fields import Field, Sequences

Arrays = dict[str, NDArray[Any]]
LENGTHS = "{name}.lengths"      # of an input on an axis of its own: (B,) beside its values; no field has a dot
Counts = dict[str, float]       # known targets by name; of vectors, the known share of each


class Batch(NamedTuple):
    inputs: Arrays      # (T, B) symbols, (T, B, F) reals, (T, B, K) categories; per sequence (B, F), (B, K); on an
    #                     axis of its own (T', B) or (T', B, F), and beside it its `LENGTHS`
    targets: Arrays     # per step (T, B) or (T, B, D), per sequence (B,) or (B, D), forecasts (B, H, D)
    lengths: NDArray[np.int64]      # (B,) steps that are not padding; 0: an empty lane
    fresh: bool                     # whether it starts from a fresh state: the first of a stream, or of its items
    counts: Counts                  # over all lanes of all ranks
    lanes: tuple[int, int]          # the first of these lanes, and how many there are on all ranks
    items: NDArray[np.int64]        # (B,) the sequence in a lane, -1: none; of a stream, where the lane starts

    @property
    def valid(self) -> float:
        """Known targets, over all lanes of all ranks."""
        return sum(self.counts.values())


class Layout(ABC):
    """Batches by (epoch, index, rank)."""

    @abstractmethod
    def __len__(self) -> int:
        """Batches of an epoch: as many in each."""

    @abstractmethod
    def batch(self, index: int, epoch: int = 0, rank: int = 0, ranks: int = 1) -> Batch:
        """Batch `index`; rank r of R gets the r-th stretch of the lanes."""

    @abstractmethod
    def counts(self, index: int, epoch: int = 0) -> Counts:
        """Known targets in batch `index`, over all ranks."""


class StreamLayout(Layout):
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
        steps = np.arange(index * self._steps, min((index + 1) * self._steps, self._warmup + self._scored))
        within = steps[:, None] - self._warmup                                      # (T, 1)
        own = np.arange(rank * self._lanes // ranks, (rank + 1) * self._lanes // ranks)
        place = within + own[None, :] * self._length                                # (T, B)
        scored, last = (within >= 0) & (place < self._total), self._total + self._stream.cut
        inputs = {name: _read(field, place, (place >= 0) & (place < self._total))
                  for name, field in self._stream.inputs.items()}
        targets = {name: _ahead(field, place, scored, last) for name, field in self._stream.targets.items()}
        return Batch(inputs, targets, np.full(len(own), len(steps)), index == 0, self.counts(index),
                     (int(own[0]), self._lanes), own * self._length)

    def counts(self, index: int, epoch: int = 0) -> Counts:
        start = np.arange(self._lanes) * self._length                               # (B,)
        end = np.minimum(start + self._scored, self._total)
        first, last = (np.minimum(start + max(0, (index + more) * self._steps - self._warmup), end) for more in (0, 1))
        end = np.full(self._lanes, self._total + self._stream.cut)
        return {name: _count(field, first, last, end) for name, field in self._stream.targets.items()}


class Shuffled(Layout):
    """Sequences in groups of `size`, whose composition and order depend on (seed, epoch) alone.

    Without a seed they are sorted by length in every epoch, for evaluation.
    """

    def __init__(self, data: Sequences, size: int, seed: int | None) -> None:
        self.data, self.size, self._seed = data, size, seed
        self.groups_of = lru_cache(maxsize=1)(self._groups)

    def __len__(self) -> int:
        return -(-len(self.data) // self.size)

    def _groups(self, epoch: int) -> Sequence[NDArray[np.int64]]:
        lengths = self.data.lengths
        if self._seed is None:
            by_length = np.argsort(lengths, kind="stable")
            return [by_length[at : at + self.size] for at in range(0, len(by_length), self.size)]
        draw = self.draw(epoch)
        # shuffled before the stable sort, so that items of one length meet others every epoch
        shuffled = draw.permutation(len(lengths))
        by_length = shuffled[np.argsort(lengths[shuffled], kind="stable")]
        groups = [by_length[at : at + self.size] for at in range(0, len(by_length), self.size)]
        return [groups[at] for at in draw.permutation(len(groups))]

    def draw(self, epoch: int) -> np.random.Generator:
        """What the order of an epoch is drawn with."""
        assert self._seed is not None
        return np.random.Generator(np.random.Philox([self._seed % 2**64, epoch]))

    def lanes_of(self, items: NDArray[np.int64], rank: int, ranks: int) -> tuple[NDArray[np.int64], int]:
        """The items in this rank's lanes, -1 where a lane is empty, and its first lane."""
        lanes = np.full(self.size, -1)
        lanes[: len(items)] = items
        first, last = rank * self.size // ranks, (rank + 1) * self.size // ranks
        return lanes[first:last], first


class ItemLayout(Shuffled):
    """Separate sequences, `steps` of each at a time, or all of them at once.

    A group whose longest sequence has more steps is several batches, one after another in the same lanes, and the state
    is carried between them. How long the longest of each group is does not depend on the epoch, only their order does.
    """

    def __init__(self, items: Sequences, size: int, seed: int | None, steps: int | None = None) -> None:
        super().__init__(items, size, seed)
        self._steps = max(1, int(items.lengths.max(initial=1))) if steps is None else steps
        self._ends_of = lru_cache(maxsize=1)(self._ends)

    def __len__(self) -> int:
        return int(self._ends_of(0)[-1]) if len(self.data) else 0

    def batch(self, index: int, epoch: int = 0, rank: int = 0, ranks: int = 1) -> Batch:
        items, before = self._chunk(index, epoch)
        lanes, first = self.lanes_of(items, rank, ranks)
        start, end = self._bounds(lanes)                                                # (B,)
        lengths = np.where(lanes < 0, 0, (end - start - before).clip(0, self._steps))
        # over all ranks; a sequence of one step, which has no next one to predict, is a step of padding
        first_of, last_of = self._bounds(items)
        most = max(1, min(self._steps, int((last_of - first_of).max()) - before))
        step = np.arange(most)[:, None]
        place, valid = start[None, :] + before + step, step < lengths[None, :]          # (T, B)
        inputs: Arrays = {}
        for name, field in self.data.inputs.items():
            if field.per == "own":
                inputs[name], inputs[LENGTHS.format(name=name)] = field.own(lanes, items)
            else:
                inputs[name] = _read(field, place, valid, start) if field.per == "step" else field.at(lanes, lanes >= 0)
        targets = {name: _ahead(field, place, valid, end + self.data.cut) if field.per == "step"
                   else field.at(lanes, lanes >= 0) for name, field in self.data.targets.items()}
        return Batch(inputs, targets, lengths, not before, self.counts(index, epoch), (first, self.size), lanes)

    def counts(self, index: int, epoch: int = 0) -> Counts:
        items, before = self._chunk(index, epoch)
        start, end = self._bounds(items)
        first, last = (np.minimum(start + more, end) for more in (before, before + self._steps))
        return {name: _count(field, first, last, end + self.data.cut) if field.per == "step"
                else field.count(items, items + 1) for name, field in self.data.targets.items()}

    def padding(self) -> float:
        """Share of a batch's steps that are padding, over an epoch; empty lanes at the end do not count."""
        all_lengths = self.data.lengths
        groups = [all_lengths[items] for items in self.groups_of(0)]
        steps = sum(len(lengths) * max(1, int(lengths.max())) for lengths in groups)
        return 1 - sum(int(lengths.sum()) for lengths in groups) / steps

    def _bounds(self, items: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        assert self.data.bounds is not None
        bounds = self.data.bounds[items.clip(0)]
        return bounds[:, 0], bounds[:, 1]

    def _chunk(self, index: int, epoch: int) -> tuple[NDArray[np.int64], int]:
        """The items of a batch, and how many of their steps the batches before it have read."""
        ends = self._ends_of(epoch)
        group = int(np.searchsorted(ends, index, side="right"))
        return self.groups_of(epoch)[group], self._steps * (index - (int(ends[group - 1]) if group else 0))

    def _ends(self, epoch: int) -> NDArray[np.int64]:
        """How many batches there are up to each group's last."""
        lengths = self.data.lengths
        longest = np.array([lengths[items].max() for items in self.groups_of(epoch)], np.int64)
        return np.cumsum(-(-longest.clip(1) // self._steps))


def _read(
    field: Field, place: NDArray[np.int64], valid: NDArray[np.bool_], start: NDArray[np.int64] | int = 0
) -> NDArray[Any]:
    """An input's values, with `fill` before the start where it shows the step before."""
    return field.at(place + field.ahead, valid & (place + field.ahead >= start))


def _ahead(
    field: Field, place: NDArray[np.int64], valid: NDArray[np.bool_], end: NDArray[np.int64] | int
) -> NDArray[Any]:
    """A target's values, with `fill` where the step that it shows would be at or after the sequence's end."""
    return field.at(place + field.ahead, valid & (place + field.ahead < end))


def _count(
    field: Field, first: NDArray[np.int64], last: NDArray[np.int64], end: NDArray[np.int64]
) -> float:
    """Known targets of the places [first, last), as `_ahead` shows them."""
    return field.count(np.minimum(first + field.ahead, end), np.minimum(last + field.ahead, end))


def all_batches(layout: Layout) -> Iterator[Batch]:
    for index in range(len(layout)):
        yield layout.batch(index)
