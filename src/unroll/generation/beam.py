"""Beam search: the most probable sequences that a narrow search finds (Graves, 2012; Sutskever et al., 2014)."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from unroll.config.sampling import SettingError
from unroll.generation.engine import Ids, Steps
from unroll.generation.loop import prime
from unroll.generation.one_field import Reader
from unroll.generation.rules import History, Logits, Rule, log_softmax

S = TypeVar("S")


class Beam(NamedTuple):
    """A sequence without prompt and end symbol."""

    steps: Steps                # (n,) symbols, or records of several fields
    nats: list[float]           # (n,) the model's own log-probability of each, before any rule
    total: float                # the log-probability after the rules, including an end symbol's
    scored: int                 # steps in `total`

    @property
    def score(self) -> float:
        return self.total / max(1, self.scored)


class Candidate(NamedTuple):
    """A step after one of the beams."""

    parent: int
    step: Any           # a symbol or a record; None: the sequence ends
    total: float        # the log-probability after the rules of the beam and this step
    nats: float         # the model's own of this step


# the outputs after each open beam, and how many steps they have → candidates, the best first; at most twice the width
Expand = Callable[[Logits, Sequence[Beam], int], Sequence[Candidate]]


def beam_search(reader: Reader[S], prompt: Steps, width: int, length: int, expand: Expand) -> list[Beam]:
    """The `width` best sequences, the best first, by log-probability per step, so that short ones are not preferred.

    The search stops at `length` steps, or once `width` finished sequences score at least as high as every open one,
    even though a mean may rise again. Raises `SettingError` where the rules leave nothing to write.
    """
    outputs, state = prime(reader, [prompt])
    beams, ended = [Beam(prompt[:0], [], 0.0, 0)], list[Beam]()
    for at in range(length):
        candidates = expand(outputs, beams, at)
        if not candidates and not ended:
            raise SettingError("conflict", ["beams", "no_repeat_ngram"], "after {at} symbols none is left that "
                               "{no_repeat_ngram} permits. Raise it.", at=at)
        still_open, parents = list[Beam](), list[int]()
        for parent, step, total, nats in candidates:
            before = beams[parent]
            if step is None:
                ended.append(before._replace(total=total, scored=before.scored + 1))
            elif len(still_open) < width:
                steps = np.concatenate([before.steps, np.array([step], prompt.dtype)])
                still_open.append(Beam(steps, [*before.nats, nats], total, before.scored + 1))
                parents.append(parent)
        beams = still_open
        if not beams or at + 1 == length or _settled(ended, beams, width):
            break
        read = np.array([beam.steps[-1] for beam in beams], prompt.dtype)
        outputs, state = reader.read(read[None], np.ones(len(beams), np.int32), reader.take(state, np.array(parents)))
    return sorted([*ended, *beams], key=lambda beam: beam.score, reverse=True)[:width]


class Symbols:
    """Candidates of a single field."""

    def __init__(self, prompt: Ids, width: int, rule: Rule, looks_back: int, end: int | None, min_length: int = 0
                 ) -> None:
        self._prompt, self._count, self._rule, self._looks_back = prompt, 2 * width, rule, looks_back
        self._end, self._min_length = end, min_length

    def __call__(self, logits: Logits, beams: Sequence[Beam], at: int) -> list[Candidate]:
        history = histories(self._prompt, [beam.steps for beam in beams], self._looks_back)
        own, ruled = log_probabilities(logits, self._rule, history, self._end if at < self._min_length else None)
        totals = np.array([beam.total for beam in beams])[:, None] + ruled          # (beams, V)
        # the first of equals, so that the search does not depend on how a library sorts
        best = np.argsort(-totals, axis=None, kind="stable")[: self._count]
        places = [divmod(int(place), totals.shape[1]) for place in best[np.isfinite(totals.ravel()[best])]]
        return [Candidate(parent, None if symbol == self._end else symbol, float(totals[parent, symbol]),
                          float(own[parent, symbol])) for parent, symbol in places]


def log_probabilities(logits: Logits, rule: Rule, history: History, forbidden: int | None
                      ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The model's own (B, V), and those after the rules, -inf all along a row where they leave nothing."""
    allowed = rule(logits, history)
    if forbidden is not None:
        allowed = np.array(allowed)
        allowed[:, forbidden] = -np.inf
    left = np.flatnonzero(np.isfinite(allowed).any(axis=1))
    own = log_softmax(logits)
    ruled = np.full_like(own, -np.inf)
    ruled[left] = log_softmax(allowed[left])
    return own, ruled


def histories(prompt: Ids, written: Sequence[Ids], looks_back: int) -> History:
    """The newest symbols of each beam, behind those of the prompt but its begin symbol."""
    history: NDArray[np.int64] = np.full((len(written), looks_back), -1, np.int64)
    for row, symbols in enumerate(written if looks_back else ()):
        read = np.concatenate([prompt[1:], symbols])[-looks_back:]
        history[row, looks_back - len(read):] = read
    return history


def _settled(ended: list[Beam], beams: list[Beam], width: int) -> bool:
    scores = sorted((beam.score for beam in ended), reverse=True)
    return len(scores) >= width and scores[width - 1] >= max(beam.score for beam in beams)
