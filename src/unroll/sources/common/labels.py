"""Which sequences of the training split have labels."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def draw_labelled(strata: Sequence[str], share: float, seed: int) -> NDArray[np.bool_]:
    """Whether each sequence is labelled: a share of them all, about the same of every stratum, and one of it at least.

    What a smaller share labels, a larger one labels, too.
    """
    draw = np.random.Generator(np.random.Philox([seed, len(strata), 1]))    # another stream than that of the splits
    names = np.asarray(strata)
    later, share_before = np.zeros(len(names), bool), np.zeros(len(names))
    for name in np.unique(names):
        members = draw.permutation(np.flatnonzero(names == name))
        later[members[1:]] = True
        share_before[members] = (np.arange(len(members)) + 0.5) / len(members)
    # one order for all shares: the first of every stratum, then the others evenly
    order = np.lexsort((share_before, later))
    known = np.zeros(len(names), bool)
    known[order[: max(int((~later).sum()), round(len(names) * share))]] = True
    return known
