"""Sampling rules: logits in, logits out. They compose, and nothing is random but `draw`."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Logits = NDArray[np.floating[Any]]      # (B, V); -inf where a symbol may not be chosen
Rule = Callable[[Logits], Logits]


def forbid(logits: Logits, symbols: Sequence[int]) -> Logits:
    kept = logits.copy()
    kept[:, list(symbols)] = -np.inf
    return kept


def temperature(logits: Logits, value: float) -> Logits:
    """Below 1 sharpens, above 1 flattens; 0 leaves the most probable symbol alone, the first of equals."""
    if value > 0:
        # from the largest down: what a tiny temperature then overflows to is probability zero
        with np.errstate(over="ignore"):
            return np.asarray((logits.astype(np.float64) - logits.max(axis=1, keepdims=True)) / value)
    best = np.full_like(logits, -np.inf)
    best[np.arange(len(logits)), logits.argmax(axis=1)] = 0
    return best


def top_k(logits: Logits, k: int) -> Logits:
    """Keep the k most probable symbols (Fan et al., 2018), all of those equal to the k-th, too."""
    if k >= logits.shape[1]:
        return logits
    smallest = np.partition(logits, -k, axis=1)[:, [-k]]
    return np.where(logits >= smallest, logits, -np.inf)


def top_p(logits: Logits, p: float) -> Logits:
    """Keep the smallest set of symbols whose probability reaches `p` (Holtzman et al., 2020); at least one."""
    order = np.argsort(-logits, axis=1, kind="stable")
    ranked = np.take_along_axis(probabilities(logits), order, axis=1)
    before = np.cumsum(ranked, axis=1) - ranked         # what the more probable ones reach without this one
    kept = np.empty_like(before, dtype=bool)
    np.put_along_axis(kept, order, before < p, axis=1)
    return np.where(kept, logits, -np.inf)


def probabilities(logits: Logits) -> NDArray[np.float64]:
    """Softmax over symbols, (B, V), in double precision."""
    shifted = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))


def draw(logits: Logits, uniform: NDArray[np.float64]) -> NDArray[np.int64]:
    """One symbol a row by inverting the distribution at `uniform` (B,), each in [0, 1)."""
    cumulative = probabilities(logits).cumsum(axis=1)
    chosen = (cumulative <= uniform[:, None] * cumulative[:, [-1]]).sum(axis=1)
    return np.asarray(chosen, np.int64)


def compose(
    forbidden: Sequence[int], heat: float, k: int | None = None, p: float | None = None
) -> Rule:
    """Forbidden symbols, then temperature, top-k, top-p: the order that most libraries have."""

    def rule(logits: Logits) -> Logits:
        logits = temperature(forbid(logits, forbidden), heat)
        logits = logits if k is None else top_k(logits, k)
        return logits if p is None else top_p(logits, p)

    return rule
