"""Which sequence is in which split."""

from array import array
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from unroll.data.source import Piece
from unroll.readers.common.keys import Keys


def hold_out(
    pieces: Iterable[Piece], inputs: Mapping[str, str], targets: Mapping[str, str], validation: float, test: float,
    seed: int, groups: Iterable[str] | None = None,
) -> dict[str, NDArray[np.int64]]:
    """Indices of each split, each class in the same shares.

    Sequences of equal text share a split, or the test would contain what was learnt, as do those of one of the
    `groups`. Read in one pass, of which a hash of the text and the number of the class remain, 24 bytes a sequence.
    """
    texts = [name for name, kind in inputs.items() if kind == "tokens"] if groups is None else []
    label = next((name for name, kind in targets.items() if kind == "class"), None)
    keys, classes = Keys(), array("q")
    numbers: dict[str, int] = {}
    count = 0
    for piece in pieces:
        count += 1
        if texts:
            keys.add(*(piece[name] for name in texts))
        if label is not None:
            classes.append(numbers.setdefault(str(piece[label]), len(numbers)))
    for name in groups or ():
        keys.add(name)
    group = keys.numbers() if texts or groups is not None else np.arange(count)
    firsts = np.unique(group, return_index=True)[1]
    labels = None if label is None else _ranks(list(numbers))[np.array(classes, np.int64)[firsts]]
    splits = deal(len(firsts), labels, validation, test, seed)
    return {split: np.flatnonzero(np.isin(group, groups)) for split, groups in splits.items()}


def _ranks(names: Sequence[str]) -> NDArray[np.int64]:
    """(n,) the place of each name among all of them, sorted."""
    ranks = np.empty(len(names), np.int64)
    ranks[np.argsort(np.array(names, dtype=str))] = np.arange(len(names))
    return ranks


def deal(
    count: int, labels: Sequence[str] | NDArray[np.int64] | None, validation: float, test: float, seed: int
) -> dict[str, NDArray[np.int64]]:
    """Indices of each split, in their order; with `labels`, each class in the same shares.

    A class of two or more has one in validation, of three or more one in test, too, and every class has one in
    training; `test` 0 leaves that empty.
    """
    draw = np.random.Generator(np.random.Philox([seed, count]))
    names = np.asarray(labels) if labels is not None else np.zeros(count)
    dealt: dict[str, list[NDArray[np.int64]]] = {"train": [], "validation": [], "test": []}
    for name in np.unique(names):
        members = draw.permutation(np.flatnonzero(names == name))
        tested = _number(len(members), test, 3)
        validated = min(_number(len(members), validation, 2), len(members) - tested - 1)
        dealt["test"].append(members[:tested])
        dealt["validation"].append(members[tested : tested + validated])
        dealt["train"].append(members[tested + validated :])
    return {split: np.sort(np.concatenate(parts)) if parts else np.zeros(0, np.int64)
            for split, parts in dealt.items()}


def _number(members: int, share: float, least: int) -> int:
    return max(round(members * share), 1) if share and members >= least else 0


def cut(length: int, validation: float, test: float) -> dict[str, tuple[int, int]]:
    """One series in order: its first part trains, the next validates, the last is the test."""
    first, second = int(length * (1 - validation - test)), int(length * (1 - test))
    return {"train": (0, first), "validation": (first, second), "test": (second, length)}
