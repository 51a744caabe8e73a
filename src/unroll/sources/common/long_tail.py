"""A training split whose classes have a long tail, made of one that has many of each."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def long_tail(labels: Sequence[str], imbalance: float, seed: int) -> NDArray[np.bool_]:
    """Which sequences (N,) are kept: the k-th largest of K classes is cut to n · imbalance^(-k / (K - 1)), k from 0 on.

    n is what the largest one has, of which none are cut (Cui et al., 2019, section 5.1). A class that has fewer than
    its share keeps them all, and every class keeps one. What a larger imbalance keeps, a smaller one keeps, too.
    """
    draw = np.random.Generator(np.random.Philox([seed, len(labels), 2]))    # another stream than those of the splits
    names, classes, counts = np.unique(np.asarray(labels), return_inverse=True, return_counts=True)
    kept = np.zeros(len(labels), bool)
    drawn = {name: draw.permutation(np.flatnonzero(classes == name)) for name in range(len(names))}
    for place, name in enumerate(np.argsort(-counts, kind="stable")):
        share = counts.max() * imbalance ** (-place / max(1, len(names) - 1))
        kept[drawn[int(name)][: max(1, round(float(share)))]] = True
    return kept
