"""How well numbers tell one of two classes from the other, whatever the threshold."""

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]


class Ranking:
    """Cases by what a method gives them, so that samples of them, as weights, are measured quickly."""

    def __init__(self, scores: Reals, positive: NDArray[np.bool_]) -> None:
        self._groups, self._number = np.unique(scores, return_inverse=True)
        self._positive = positive

    def measure(self, weights: Reals | None = None) -> dict[str, float]:
        """The weighted area under the ROC curve, ties counting half, and the weighted average precision."""
        size, weight = len(self._groups), np.ones(len(self._positive)) if weights is None else weights
        positive = np.bincount(self._number, weight * self._positive, size)
        negative = np.bincount(self._number, weight * ~self._positive, size)
        below = np.cumsum(negative) - negative / 2
        found, others = np.cumsum(positive[::-1]), np.cumsum(negative[::-1])
        precision = found / np.maximum(found + others, 1e-300)
        return {"auroc": float((positive * below).sum() / (positive.sum() * negative.sum())),
                "auprc": float((positive[::-1] * precision).sum() / positive.sum())}
