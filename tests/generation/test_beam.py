"""Beam search against every text that there is."""

from itertools import product

import numpy as np
import pytest

from unroll.base.errors import UserError
from unroll.config.sampling import sampling
from unroll.generation.beam import Symbols, beam_search
from unroll.generation.rules import permit

TABLE = np.random.default_rng(3).normal(size=(4, 4)) * 2


class Chain:
    """A Markov chain: what comes depends on the last symbol alone."""

    def start(self, lanes):
        return None

    def read(self, symbols, lengths, state):
        return TABLE[symbols[lengths - 1, range(len(lengths))]], None

    def take(self, state, lanes):
        return None


def nats(text):
    total, last = [], 0
    for symbol in text:
        total.append(TABLE[last][symbol] - np.log(np.exp(TABLE[last]).sum()))
        last = symbol
    return total


def best(width, length, end=None, min_length=0, **settings):
    rule = permit(sampling(**settings))
    expand = Symbols(np.array([0]), width, rule, sampling(**settings).looks_back, end, min_length)
    return beam_search(Chain(), np.array([0]), width, length, expand)


def test_wide_enough_it_finds_the_best_of_all():
    found = best(64, 5)
    everything = sorted(product(range(4), repeat=5), key=lambda text: -sum(nats(text)))
    assert [tuple(beam.steps) for beam in found[:10]] == everything[:10]
    np.testing.assert_allclose(found[0].nats, nats(everything[0]))
    assert found[0].total == pytest.approx(sum(nats(everything[0]))) and found[0].scored == 5


def test_width_one_is_greedy():
    (beam,) = best(1, 6)
    text = []
    for _ in range(6):
        text.append(int(TABLE[text[-1] if text else 0].argmax()))
    assert beam.steps.tolist() == text


def test_finished_texts_are_compared_per_symbol():
    found = best(200, 4, end=3)
    every = [text for size in range(5) for text in product(range(3), repeat=size)]
    scored = {text: nats([*text, 3] if len(text) < 4 else text) for text in every}
    expected = sorted(scored, key=lambda text: -sum(scored[text]) / len(scored[text]))
    assert tuple(found[0].steps) == expected[0]
    assert len(best(200, 4, end=3, min_length=4)[0].steps) == 4
    for beam in found:
        assert len(beam.nats) == len(beam.steps) and beam.scored - len(beam.steps) in (0, 1)


def test_log_probabilities_are_the_models_own_and_what_is_sought_is_not():
    for beam in best(3, 3, no_repeat_ngram=1):
        np.testing.assert_allclose(beam.nats, nats(beam.steps.tolist()))
        assert beam.total > sum(beam.nats), "among fewer symbols each is more probable"


def test_rules_that_leave_nothing_are_one_line():
    with pytest.raises(UserError) as caught:
        best(2, 9, no_repeat_ngram=1)
    assert (caught.value.code, caught.value.where) == ("conflict", "beams, no_repeat_ngram")


@pytest.mark.parametrize("width", [2, 5])
def test_rules_that_look_back_look_at_each_beam(width):
    for beam in best(width, 4, no_repeat_ngram=1):
        assert len(set(beam.steps.tolist())) == len(beam.steps) == 4
