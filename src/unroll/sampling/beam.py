"""Beam search: the most probable texts that a narrow search finds (Graves, 2012; Sutskever et al., 2014)."""

from typing import Any, NamedTuple, TypeVar

import numpy as np

from unroll.sampling.engine import Engine, Ids
from unroll.sampling.loop import prime
from unroll.sampling.rules import Logits, Rule

S = TypeVar("S")


class Beam(NamedTuple):
    symbols: Ids            # (n,), the prompt and the end symbol left out
    nats: list[float]       # log-probability of each


def beam_search(engine: Engine[S], prompt: Ids, width: int, length: int, rule: Rule, looks_back: int,
                end: int | None, min_length: int = 0) -> list[Beam]:
    """The `width` best, the best first, by log-probability a symbol, so that short ones are not preferred.

    Beams that ended are kept beside those that go on; the search is over when the best ended one cannot be bettered
    by what is left, or at `length` symbols.
    """
    logits, state = prime(engine, [prompt])
    beams, ended = [Beam(np.zeros(0, np.int64), [])], list[Beam]()
    for at in range(length):
        nats = _nats(rule(logits, _history(prompt, beams, looks_back)))
        if end is not None and at < min_length:
            nats[:, end] = -np.inf
        totals = np.array([sum(beam.nats) for beam in beams])[:, None] + nats       # (beams, V)
        # of equals the first, so that the search does not depend on how a library sorts
        best = np.argsort(-totals, axis=None, kind="stable")[: 2 * width]
        goes_on, parents = list[Beam](), list[int]()
        for place in best[np.isfinite(totals.ravel()[best])]:
            parent, symbol = divmod(int(place), totals.shape[1])
            each = [*beams[parent].nats, float(nats[parent, symbol])]
            if symbol == end:
                ended.append(Beam(beams[parent].symbols, each))
            elif len(goes_on) < width:
                goes_on.append(Beam(np.append(beams[parent].symbols, symbol), each))
                parents.append(parent)
        beams = goes_on
        if not beams or at + 1 == length or _settled(ended, beams, width):
            break
        read = np.array([beam.symbols[-1] for beam in beams])
        logits, state = engine.read(read[None], np.ones(len(beams), np.int32), engine.take(state, np.array(parents)))
    return sorted([*ended, *beams], key=_score, reverse=True)[:width]


def _settled(ended: list[Beam], beams: list[Beam], width: int) -> bool:
    return len(ended) >= width and sorted(map(_score, ended), reverse=True)[width - 1] >= max(map(_score, beams))


def _score(beam: Beam) -> float:
    return sum(beam.nats) / max(1, len(beam.nats))


def _nats(logits: Logits) -> Any:
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def _history(prompt: Ids, beams: list[Beam], looks_back: int) -> Any:
    history = np.full((len(beams), looks_back), -1, np.int64)
    for row, beam in enumerate(beams):
        read = np.concatenate([prompt[1:], beam.symbols])[-looks_back:] if looks_back else beam.symbols[:0]
        history[row, looks_back - len(read):] = read
    return history
