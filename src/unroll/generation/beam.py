"""Beam search: the most probable texts that a narrow search finds (Graves, 2012; Sutskever et al., 2014)."""

from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from unroll.config.sampling import SettingError
from unroll.generation.engine import Ids
from unroll.generation.loop import prime
from unroll.generation.one_field import Reader
from unroll.generation.rules import History, Rule, log_softmax

S = TypeVar("S")


class Beam(NamedTuple):
    """A text without prompt and end symbol."""

    symbols: Ids                # (n,)
    nats: list[float]           # (n,) the model's own log-probability of each, before any rule
    total: float                # the log-probability after the rules, including an end symbol's
    scored: int                 # symbols in `total`

    @property
    def score(self) -> float:
        return self.total / max(1, self.scored)


def beam_search(reader: Reader[S], prompt: Ids, width: int, length: int, rule: Rule, looks_back: int,
                end: int | None, min_length: int = 0) -> list[Beam]:
    """The `width` best texts, the best first, by log-probability per symbol, so that short ones are not preferred.

    The search stops at `length` symbols, or once `width` finished texts score at least as high as every open one, even
    though a mean may rise again. Raises `SettingError` where the rules leave nothing to write.
    """
    logits, state = prime(reader, [prompt])
    beams, ended = [Beam(np.zeros(0, np.int64), [], 0.0, 0)], list[Beam]()
    for at in range(length):
        allowed = rule(logits, _history(prompt, beams, looks_back))
        if end is not None and at < min_length:
            allowed[:, end] = -np.inf
        open_ends = np.flatnonzero(np.isfinite(allowed).any(axis=1))
        if not len(open_ends) and not ended:
            raise SettingError("conflict", ["beams", "no_repeat_ngram"], "after {at} symbols none is left that "
                               "{no_repeat_ngram} permits. Raise it.", at=at)
        own = log_softmax(logits)
        ruled = np.full_like(own, -np.inf)
        ruled[open_ends] = log_softmax(allowed[open_ends])
        totals = np.array([beam.total for beam in beams])[:, None] + ruled          # (beams, V)
        # the first of equals, so that the search does not depend on how a library sorts
        best = np.argsort(-totals, axis=None, kind="stable")[: 2 * width]
        still_open, parents = list[Beam](), list[int]()
        for place in best[np.isfinite(totals.ravel()[best])]:
            parent, symbol = divmod(int(place), totals.shape[1])
            before, total = beams[parent], float(totals[parent, symbol])
            if symbol == end:
                ended.append(before._replace(total=total, scored=before.scored + 1))
            elif len(still_open) < width:
                nats = [*before.nats, float(own[parent, symbol])]
                still_open.append(Beam(np.append(before.symbols, symbol), nats, total, before.scored + 1))
                parents.append(parent)
        beams = still_open
        if not beams or at + 1 == length or _settled(ended, beams, width):
            break
        read = np.array([beam.symbols[-1] for beam in beams])
        logits, state = reader.read(read[None], np.ones(len(beams), np.int32), reader.take(state, np.array(parents)))
    return sorted([*ended, *beams], key=lambda beam: beam.score, reverse=True)[:width]


def _settled(ended: list[Beam], beams: list[Beam], width: int) -> bool:
    scores = sorted((beam.score for beam in ended), reverse=True)
    return len(scores) >= width and scores[width - 1] >= max(beam.score for beam in beams)


def _history(prompt: Ids, beams: list[Beam], looks_back: int) -> History:
    history: NDArray[np.int64] = np.full((len(beams), looks_back), -1, np.int64)
    for row, beam in enumerate(beams):
        read = np.concatenate([prompt[1:], beam.symbols])[-looks_back:] if looks_back else beam.symbols[:0]
        history[row, looks_back - len(read):] = read
    return history
