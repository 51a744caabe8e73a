"""The classic baseline of time series classification: the class of the nearest training sequence (aeon)."""

import sys
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.data.missing import held
from unroll.data.source import SPLITS, Split
from unroll.data.store import Prepared

EARLIER: tuple[Split, ...] = ("train", "validation")


def nearest_neighbour(prepared: Prepared, field: str, name: str, most_cells: int) -> dict[str, NDArray[np.int64]]:
    """1-NN under dynamic time warping without a window (Sakoe & Chiba, 1978).

    Empty if it would fill more than `most_cells` cells of warping tables, or aeon is not installed. Nothing is selected
    on validation data, so the neighbours are training and validation sequences.
    """
    known: dict[Split, NDArray[np.int64]] = {split: prepared.known(name, split) for split in SPLITS}
    train = [case for split in EARLIER for case in _cases(prepared, field, split, known[split])]
    test = _cases(prepared, field, "test", known["test"])
    cells = sum(case.shape[1] for case in train) * sum(case.shape[1] for case in test)
    if cells > most_cells:
        print(f"evaluate: 1-NN DTW left out: {cells:.1e} cells, evaluate.dtw_cells allows {most_cells:.1e}")
        return {}
    try:
        from aeon.distances import dtw_pairwise_distance
    except ImportError:
        print("evaluate: 1-NN DTW left out: aeon is not installed (pip install 'unroll[aeon]')", file=sys.stderr)
        return {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")         # Numba's, about aeon's types
        distances = dtw_pairwise_distance(test, train)          # (test, train)
    labels = np.concatenate([prepared.values(name, split)[known[split]] for split in EARLIER]).astype(np.int64)
    return {"dtw_1nn": labels[distances.argmin(axis=1)]}


def _cases(prepared: Prepared, field: str, split: Split, items: NDArray[np.int64]) -> list[Any]:
    """Sequences (F, T), as aeon reads them."""
    offsets = prepared.offsets(split)
    assert offsets is not None
    cases = [prepared.raw(field, split, *offsets[item : item + 2].tolist()) for item in items]
    if prepared.holes(field, split) is not None:
        cases = [held(case) for case in cases]      # the distance knows nothing of missing numbers
    return [np.ascontiguousarray(case.T, np.float64) for case in cases]
