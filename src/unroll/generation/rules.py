"""Sampling rules: logits in, logits out. They compose, and all randomness comes from the numbers handed to `draw`."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from unroll.config.sampling import Sampling

Logits = NDArray[np.floating[Any]]      # (B, V); -inf where a symbol may not be drawn
History = NDArray[np.int64]             # (B, W), the newest last; -1 before the first
Rule = Callable[[Logits, History], Logits]


def forbid(logits: Logits, symbols: Sequence[int] | NDArray[np.integer[Any]]) -> Logits:
    kept = logits.copy()
    kept[:, np.asarray(symbols, np.int64)] = -np.inf
    return kept


def repetition_penalty(logits: Logits, history: History, penalty: float) -> Logits:
    """Makes each symbol of the history less likely, above 1 (CTRL; Keskar et al., 2019)."""
    seen = _marked(history, logits.shape[1])
    return np.where(seen, np.where(logits > 0, logits / penalty, logits * penalty), logits)


def no_repeat_ngram(logits: Logits, history: History, n: int) -> Logits:
    """Forbids the symbols that would complete an n-gram of the history (Paulus et al., 2018)."""
    if history.shape[1] < n:
        return logits
    ngrams = sliding_window_view(history, n, axis=1)                        # (B, W - n + 1, n)
    begun = history[:, None, history.shape[1] - n + 1 :]
    again = (ngrams[..., :-1] == begun).all(axis=2) & (ngrams >= 0).all(axis=2)
    return np.where(_marked(np.where(again, ngrams[..., -1], -1), logits.shape[1]), -np.inf, logits)


def temperature(logits: Logits, value: float) -> Logits:
    """Below 1 sharpens, above 1 flattens."""
    below = _from_the_largest(logits)
    if value > 1e-200:
        below /= value
        return below
    with np.errstate(over="ignore"):        # below the largest, an overflow is probability zero
        return np.asarray(below / value)


def greedy(logits: Logits) -> Logits:
    """Keep only the most probable symbol, the first of equals."""
    best = np.full_like(logits, -np.inf)
    best[np.arange(len(logits)), logits.argmax(axis=1)] = 0
    return best


def top_k(logits: Logits, k: int) -> Logits:
    """Keep the k most probable symbols (Fan et al., 2018) and all that equal the k-th."""
    if k >= logits.shape[1]:
        return logits
    smallest = np.partition(logits, -k, axis=1)[:, [-k]]
    return np.where(logits >= smallest, logits, -np.inf)


def top_p(logits: Logits, p: float) -> Logits:
    """Keep the smallest set of symbols whose probability reaches `p` (Holtzman et al., 2020); at least one."""
    order = np.argsort(-logits, axis=1, kind="stable")
    ranked = np.take_along_axis(probabilities(logits), order, axis=1)
    before = np.cumsum(ranked, axis=1) - ranked         # the probability of all more probable symbols
    kept = np.empty_like(before, dtype=bool)
    np.put_along_axis(kept, order, before < p, axis=1)
    return np.where(kept, logits, -np.inf)


def min_p(logits: Logits, p: float) -> Logits:
    """Keep the symbols at least `p` times as probable as the most probable one (Nguyen et al., 2024)."""
    return np.where(logits >= logits.max(axis=1, keepdims=True) + np.log(p), logits, -np.inf)


def probabilities(logits: Logits) -> NDArray[np.float64]:
    """Softmax over symbols, (B, V), in double precision."""
    shifted = np.exp(_from_the_largest(logits))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))


def log_softmax(logits: Logits) -> NDArray[np.float64]:
    """Nats of every symbol, (B, V), in double precision; each row needs a symbol above -inf."""
    below = _from_the_largest(logits)
    return np.asarray(below - np.log(np.exp(below).sum(axis=1, keepdims=True)))


def log_probabilities(logits: Logits, symbols: NDArray[np.integer[Any]]) -> NDArray[np.float64]:
    """Nats of one symbol per row, (B,)."""
    return np.asarray(log_softmax(logits)[np.arange(len(symbols)), symbols])


def lane_generator(seed: int, number: int, *field: int) -> np.random.Generator:
    """The random numbers of the `number`-th sample, or of a field of it, which depend on nothing else."""
    return np.random.Generator(np.random.Philox([seed % 2**64, number, *field]))


def draw(logits: Logits, uniform: NDArray[np.float64]) -> NDArray[np.int64]:
    """One symbol per row by inverting the distribution at `uniform` (B,), numbers in [0, 1)."""
    cumulative = _from_the_largest(logits)
    np.exp(cumulative, out=cumulative)
    np.cumsum(cumulative, axis=1, out=cumulative)
    if len(cumulative) == 1:        # the same, faster
        return np.asarray(cumulative[0].searchsorted(uniform * cumulative[0, -1], side="right"), np.int64)
    return np.asarray((cumulative <= uniform[:, None] * cumulative[:, -1:]).sum(axis=1), np.int64)


def _from_the_largest(logits: Logits) -> NDArray[np.float64]:
    """In double precision, relative to the largest of a row, so that no exponential overflows."""
    return np.asarray(np.subtract(logits, logits.max(axis=1, keepdims=True), dtype=np.float64))


def permit(settings: Sampling, forbidden: Sequence[int] = ()) -> Rule:
    """Which symbols may be drawn at all, and which less often because they were."""
    rules: list[Rule] = []
    if len(forbidden):
        never = np.array(forbidden)
        rules.append(lambda logits, _: forbid(logits, never))
    if (penalty := settings.repetition_penalty) is not None:
        rules.append(lambda logits, history: repetition_penalty(logits, history, penalty))
    if (n := settings.no_repeat_ngram) is not None:
        rules.append(lambda logits, history: no_repeat_ngram(logits, history, n))
    return _chain(rules)


def shape(settings: Sampling) -> Rule:
    """Temperature, then what is kept."""
    rules: list[Rule] = []
    if settings.greedy:
        rules.append(lambda logits, _: greedy(logits))
    elif settings.temperature != 1:
        rules.append(lambda logits, _: temperature(logits, settings.temperature))
    if (k := settings.top_k) is not None:
        rules.append(lambda logits, _: top_k(logits, k))
    if (p := settings.top_p) is not None:
        rules.append(lambda logits, _: top_p(logits, p))
    if (least := settings.min_p) is not None:
        rules.append(lambda logits, _: min_p(logits, least))
    return _chain(rules)


def _chain(rules: Sequence[Rule]) -> Rule:
    def rule(logits: Logits, history: History) -> Logits:
        for next_rule in rules:
            logits = next_rule(logits, history)
        return logits

    return rule


def _marked(symbols: NDArray[np.int64], size: int) -> NDArray[np.bool_]:
    """(B, n) symbols, -1 for none → (B, V), whether each symbol occurs."""
    marked = np.zeros((len(symbols), size + 1), dtype=bool)
    marked[np.arange(len(symbols))[:, None], symbols] = True        # none is the last column
    return marked[:, :size]
