"""The loop, over an engine that counts and over a network."""

import numpy as np
import pytest

from tests.models.conftest import random_network, small
from unroll.base.errors import UserError
from unroll.config.sampling import sampling
from unroll.generation import loop
from unroll.generation.engine import OnnxEngine
from unroll.generation.loop import Drawing, prime, walk
from unroll.generation.one_field import OneField
from unroll.models.onnx.step import step_graph

SYMBOLS = 11


class Counter:
    """After symbol s comes s + 1, for certain; it remembers what each lane has read."""

    def __init__(self):
        self.reads = []

    def start(self, lanes):
        return [()] * lanes

    def read(self, symbols, lengths, state):
        self.reads.append(symbols.shape)
        last = symbols[lengths - 1, range(len(lengths))]
        logits = np.full((len(last), SYMBOLS), -np.inf)
        logits[np.arange(len(last)), (last + 1) % SYMBOLS] = 0
        return logits, [(*read, *lane[:length].tolist()) for read, lane, length in zip(state, symbols.T, lengths, strict=True)]

    def take(self, state, lanes):
        return [state[lane] for lane in lanes]

    def join(self, states):
        return [lane for state in states for lane in state]


def made(engine, prompts, seeds=None, end=None, over=None, forbidden=(), **settings):
    """What each lane goes on with."""
    prompts = [np.array(prompt) for prompt in prompts]
    seeds = seeds or [(0, number) for number in range(len(prompts))]
    drawing = Drawing(sampling(**settings), prompts, seeds, forbidden, end, None, with_nats=False)
    found = [[] for _ in prompts]
    ended = np.zeros(len(prompts), dtype=bool)
    for lanes, symbols, _ in walk(engine, prompts, drawing, ended):
        for lane, symbol in zip(lanes.tolist(), symbols.tolist(), strict=True):
            found[lane].append(symbol)
            ended[lane] = over is not None and over(found[lane])
    return found


def sampled(prompts, seeds, length=20, end=None, **settings):
    engine = OneField(OnnxEngine(step_graph(random_network(small("lstm", layers=2)).float())))
    return made(engine, prompts, seeds, end, length=length, **settings)


def test_a_lane_goes_on_with_what_it_drew():
    assert made(Counter(), [[0], [4]], length=3) == [[1, 2, 3], [5, 6, 7]]


def test_prompts_of_unequal_length_are_read_in_one_pass():
    engine = Counter()
    assert made(engine, [[0], [0, 7], [0, 9, 2, 5]], length=3) == [[1, 2, 3], [8, 9, 10], [6, 7, 8]]
    assert engine.reads == [(4, 3), (1, 3), (1, 3)]


def test_a_prompt_longer_than_a_stretch_is_read_in_stretches(monkeypatch):
    monkeypatch.setattr(loop, "STRETCH", 3)
    engine = Counter()
    logits, state = prime(engine, [np.arange(8), np.array([5])])
    assert logits.argmax(axis=1).tolist() == [8, 6]
    assert state == [tuple(range(8)), (5,)]
    assert engine.reads == [(3, 1), (3, 1), (2, 1), (1, 1)]


def test_stretches_change_nothing(monkeypatch):
    prompts, seeds = [[0, *[3, 5, 1] * 4], [0]], [(1, 0), (1, 1)]
    whole = sampled(prompts, seeds)
    monkeypatch.setattr(loop, "STRETCH", 5)
    assert sampled(prompts, seeds) == whole


def test_nothing_is_read_that_nothing_is_drawn_from():
    engine = Counter()
    assert made(engine, [[0, 7]], length=1) == [[8]]
    assert engine.reads == [(2, 1)]


def test_the_end_symbol_stops_its_own_lane_and_is_left_out():
    engine = Counter()
    assert made(engine, [[0], [6], [2, 8]], end=8, length=5) == [[1, 2, 3, 4, 5], [7], [9, 10, 0, 1, 2]]
    assert engine.reads == [(2, 3), (1, 3), (1, 2), (1, 2), (1, 2)], "no more is computed for it"


def test_an_end_symbol_drawn_at_once_leaves_nothing():
    assert made(Counter(), [[0, 3], [7]], end=4, length=4) == [[], [8, 9, 10, 0]]


def test_before_the_least_length_the_end_symbol_is_not_drawn():
    prompts, seeds = [[0]] * 40, [(3, number) for number in range(40)]
    lengths = sorted(map(len, sampled(prompts, seeds, end=6)))
    assert lengths[0] < 5 < lengths[-1]
    assert min(map(len, sampled(prompts, seeds, end=6, min_length=5))) == 5


def test_a_lane_that_is_over_is_not_gone_on_with():
    assert made(Counter(), [[0], [4]], length=5, over=lambda found: found[-1] == 7) == [[1, 2, 3, 4, 5], [5, 6, 7]]


def test_eight_lanes_are_eight_lanes_alone():
    prompts = [[0], [0, 3], [0, 5, 2, 9], [0], [0, 1, 1], [0, 4], [0], [0, 8, 8, 8, 8, 8]]
    seeds = [(7, number) for number in range(8)]
    together = sampled(prompts, seeds)
    assert together == [sampled([prompt], [seed])[0] for prompt, seed in zip(prompts, seeds, strict=True)]
    assert {len(each) for each in together} == {20}


@pytest.mark.parametrize("settings", [{"repetition_penalty": 1.5}, {"no_repeat_ngram": 2}, {"top_p": 0.5}])
def test_lanes_that_end_early_do_not_disturb_the_others(settings):
    prompts, seeds = [[0], [0, 3], [0], [0]], [(1, number) for number in range(4)]
    together = sampled(prompts, seeds, end=6, **settings)
    assert len({len(each) for each in together}) > 1
    assert together == [sampled([prompt], [seed], end=6, **settings)[0] for prompt, seed in zip(prompts, seeds, strict=True)]


def test_a_lanes_draws_follow_from_its_seed():
    first, again, *others = sampled([[0]] * 5, [(1, 2), (1, 2), (1, 3), (2, 2), (-1, 2)])
    assert first == again
    assert all(each != first for each in others)


@pytest.mark.parametrize("settings", [{}, {"greedy": True}])
def test_a_longer_sample_begins_with_the_shorter_one(settings):
    short, long = (sampled([[0, 3]], [(1, 0)], length, **settings)[0] for length in (5, 700))
    assert long[:5] == short and len(long) == 700


def test_penalties_look_back_at_the_prompt():
    engine = OnnxEngine(step_graph(random_network(small("gru")).float()))
    (found,) = made(OneField(engine), [[0, 1, 2, 3, 4, 5]], no_repeat_ngram=1, length=5)
    assert len(set(found)) == 5 and not set(found) & {1, 2, 3, 4, 5}


def test_rules_that_leave_nothing_are_one_line():
    with pytest.raises(UserError) as caught:
        made(Counter(), [[0], [0, 4]], no_repeat_ngram=1, length=20, forbidden=[8])
    assert (caught.value.code, caught.value.where) == ("conflict", "no_repeat_ngram")
    assert "after 3 symbols of sample 2" in str(caught.value)
