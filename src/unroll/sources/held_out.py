"""Which sequences in memory are in which split."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from unroll.data.source import Piece
from unroll.sources.splits import deal


def hold_out(
    pieces: Sequence[Piece], inputs: Mapping[str, str], targets: Mapping[str, str], validation: float, test: float,
    seed: int,
) -> dict[str, NDArray[np.int64]]:
    """Indices of each split, each class in the same shares.

    Sequences of equal text share a split, or the test would ask for what was learnt.
    """
    texts = [name for name, kind in inputs.items() if kind == "tokens"]
    keys: dict[object, int] = {}
    group = np.array([keys.setdefault(tuple(piece[name] for name in texts) if texts else number, len(keys))
                      for number, piece in enumerate(pieces)], np.int64)
    firsts = np.unique(group, return_index=True)[1]
    label = next((name for name, kind in targets.items() if kind == "class"), None)
    labels = [str(pieces[first][label]) for first in firsts] if label is not None else None
    splits = deal(len(firsts), labels, validation, test, seed)
    return {split: np.flatnonzero(np.isin(group, groups)) for split, groups in splits.items()}
