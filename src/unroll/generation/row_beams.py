"""Beams of several fields of symbols: what is most probable of all of them together."""

from collections.abc import Mapping, Sequence

import numpy as np

from unroll.config.sampling import Sampling
from unroll.generation.beam import Beam, Candidate, histories, log_probabilities
from unroll.generation.draw import Drawn, Values
from unroll.generation.engine import Ids, Steps
from unroll.generation.one_field import records
from unroll.generation.rules import Logits, permit
from unroll.generation.symbol_draw import SymbolDraw


class RowCandidates:
    """Candidates of records. Fields are independent given what is before, so that their log-probabilities add up."""

    def __init__(self, fields: Mapping[str, tuple[type[SymbolDraw], Drawn]], prompt: Steps, settings: Sampling) -> None:
        self._fields, self._prompt, self._settings = fields, prompt, settings
        self._rules = {name: permit(settings, draw.never(drawn)) for name, (draw, drawn) in fields.items()}
        self._count = 2 * settings.beams

    def __call__(self, outputs: Logits, beams: Sequence[Beam], at: int) -> list[Candidate]:
        values: Values = outputs        # records
        early = at < self._settings.min_length or len(self._prompt) + at == 1   # the data has no empty sequence
        totals = np.array([beam.total for beam in beams])
        found, places = list[Candidate](), {name: np.zeros((len(beams), 1), np.int64) for name in self._fields}
        scores, nats = np.zeros((len(beams), 1)), np.zeros((len(beams), 1))
        for name, (draw, drawn) in self._fields.items():
            end = draw.end(drawn)
            history = histories(draw.ids(self._prompt[name]), [draw.ids(beam.steps[name]) for beam in beams],
                                self._settings.looks_back)
            logits = draw.logits(values[name])
            own, ruled = log_probabilities(logits, self._rules[name], history, end if early else None)
            if end is not None:
                found += [Candidate(parent, None, float(total + ruled[parent, end]), float(own[parent, end]))
                          for parent, total in enumerate(totals) if np.isfinite(ruled[parent, end])]
                ruled[:, end] = -np.inf
            # the best of a sum are among the best of its parts
            best = np.argsort(-ruled, axis=1, kind="stable")[:, : self._count]
            joint = (scores[:, :, None] + np.take_along_axis(ruled, best, axis=1)[:, None]).reshape(len(beams), -1)
            order = np.argsort(-joint, axis=1, kind="stable")[:, : self._count]
            before, added = np.divmod(order, best.shape[1])
            scores, symbols = np.take_along_axis(joint, order, axis=1), np.take_along_axis(best, added, axis=1)
            nats = np.take_along_axis(nats, before, axis=1) + np.take_along_axis(own, symbols, axis=1)
            places = {other: np.take_along_axis(chosen, before, axis=1) for other, chosen in places.items()}
            places[name] = symbols
        rows = self._rows(places)
        found += [Candidate(parent, rows[parent, place], float(totals[parent] + scores[parent, place]),
                            float(nats[parent, place])) for parent, place in np.argwhere(np.isfinite(scores)).tolist()]
        return sorted(found, key=lambda candidate: -candidate.total)[: self._count]

    def _rows(self, places: Mapping[str, Ids]) -> Steps:
        """Symbols (beams, n) of each field → records (beams, n)."""
        made = records({name: draw.values(places[name].ravel()) for name, (draw, _) in self._fields.items()})
        return made.reshape(next(iter(places.values())).shape)
