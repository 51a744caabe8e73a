"""Sequences → batches in which the classes of a target are equally likely."""

import numpy as np
from numpy.typing import NDArray

from unroll.data.batches import ItemLayout
from unroll.data.fields import IGNORED, Sequences


class BalancedLayout(ItemLayout):
    """Whole sequences in random order, of each known class equally many, up to one; in all as many as there are.

    What an epoch reads follows from (seed, epoch) alone. A class with fewer sequences than its share has them again and
    again, as often as each other to within one; of a class with more, each epoch reads others. Sequences whose class is
    unknown are read once. They are not sorted by length, since repeats of one sequence would then fill a batch.
    """

    def __init__(self, items: Sequences, size: int, seed: int, target: str) -> None:
        super().__init__(items, size, seed)
        classes = items.targets[target].at(np.arange(len(items)), np.ones(len(items), bool))
        order = np.argsort(classes, kind="stable")
        names, first = np.unique(classes[order], return_index=True)
        members = np.split(order, first[1:])
        self._unknown = [own for name, own in zip(names, members, strict=True) if name == IGNORED]
        self._known = [own for name, own in zip(names, members, strict=True) if name != IGNORED]

    def _groups(self, epoch: int) -> list[NDArray[np.int64]]:
        draw = self.draw(epoch)
        share, more = divmod(sum(map(len, self._known)), len(self._known))
        shares = share + (draw.permutation(len(self._known)) < more)
        read = [_some(own, int(count), draw) for own, count in zip(self._known, shares, strict=True)]
        order = draw.permutation(np.concatenate([*self._unknown, *read]))
        return [order[at : at + self.size] for at in range(0, len(order), self.size)]


def _some(members: NDArray[np.int64], count: int, draw: np.random.Generator) -> NDArray[np.int64]:
    """`count` of the members, each as often as any other to within one."""
    rounds = [draw.permutation(members) for _ in range(-(-count // len(members)))]
    return np.asarray(np.concatenate(rounds)[:count])
