"""Rules take logits and give logits; a symbol is drawn by inverting what they leave."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unroll.config.sampling import sampling
from unroll.generation.rules import (
    draw,
    forbid,
    greedy,
    log_probabilities,
    min_p,
    no_repeat_ngram,
    permit,
    probabilities,
    repetition_penalty,
    shape,
    temperature,
    top_k,
    top_p,
)

quick = settings(max_examples=60, deadline=None, derandomize=True,
                 suppress_health_check=[HealthCheck.too_slow])     # a busy machine is no fault

# quarters between -10 and 10: ties occur, and no two neighbours differ by rounding
LOGITS = st.lists(st.integers(-40, 40), min_size=1, max_size=12).map(lambda row: np.array([row]) / 4)
LAST = 1 - 2**-53       # the largest number that a uniform draw can be
NOTHING = np.zeros((1, 0), np.int64)


def compose(asked, forbidden=()):
    permitted, shaped = permit(asked, forbidden), shape(asked)
    return lambda logits, history: shaped(permitted(logits, history), history)


def kept(logits: np.ndarray) -> list[int]:
    return np.flatnonzero(np.isfinite(logits[0])).tolist()


@quick
@given(LOGITS)
def test_probabilities_are_the_softmax(logits):
    expected = np.exp(logits) / np.exp(logits).sum()
    np.testing.assert_allclose(probabilities(logits), expected, rtol=1e-12)


def test_probabilities_of_large_logits_do_not_overflow():
    np.testing.assert_allclose(probabilities(np.array([[1e4, 1e4, -1e4]], np.float32)), [[0.5, 0.5, 0]])


@quick
@given(LOGITS)
def test_greedy_is_the_argmax(logits):
    assert kept(greedy(logits)) == [int(logits[0].argmax())]
    for uniform in (0.0, 0.5, LAST):
        assert draw(greedy(logits), np.array([uniform])) == logits.argmax()


@quick
@given(LOGITS, st.sampled_from([0.25, 0.5, 1.0, 2.0]))
def test_temperature_is_a_power_of_the_probabilities(logits, heat):
    powers = probabilities(logits) ** (1 / heat)
    np.testing.assert_allclose(probabilities(temperature(logits, heat)), powers / powers.sum(), rtol=1e-9)


@quick
@given(LOGITS, st.integers(1, 14))
def test_top_k_keeps_the_k_best_and_their_equals(logits, k):
    worst = sorted(logits[0], reverse=True)[:k][-1]
    left = top_k(logits, k)
    assert kept(left) == [symbol for symbol, value in enumerate(logits[0]) if value >= worst]
    assert (left[np.isfinite(left)] == logits[np.isfinite(left)]).all()


@quick
@given(st.permutations(range(9)), st.integers(1, 9))
def test_top_k_of_different_logits_keeps_exactly_k(row, k):
    assert len(kept(top_k(np.array([row], float), k))) == k


@quick
@given(LOGITS, st.floats(0.01, 1))
def test_top_p_keeps_the_smallest_set_that_reaches_p(logits, p):
    share = probabilities(logits)[0]
    chosen = kept(top_p(logits, p))
    dropped = sorted(set(range(len(share))) - set(chosen))
    assert chosen
    assert share[chosen].sum() >= p - 1e-12
    # without its least probable symbol the set would not reach p, and no dropped symbol is more probable
    assert share[chosen].sum() - share[chosen].min() < p + 1e-12
    assert share[dropped].max(initial=0) <= share[chosen].min()


@pytest.mark.parametrize(
    ("p", "expected"), [(0.01, [2]), (0.49, [2]), (0.51, [0, 2]), (0.76, [0, 1, 2]), (1.0, [0, 1, 2, 3])]
)
def test_top_p_counts_down_from_the_most_probable(p, expected):
    assert kept(top_p(np.log([[0.25, 0.15, 0.5, 0.1]]), p)) == expected


@quick
@given(LOGITS, st.floats(0.01, 1))
def test_min_p_is_a_share_of_the_best(logits, p):
    share = probabilities(logits)[0]
    assert kept(min_p(logits, p)) == np.flatnonzero(share >= p * share.max() * (1 - 1e-12)).tolist()


def history(*lanes):
    width = max(map(len, lanes))
    return np.array([[-1] * (width - len(lane)) + lane for lane in lanes])


def test_what_was_said_is_less_likely_whatever_the_sign_of_its_logit():
    logits = np.array([[2.0, -1.0, 0.5, 0.0]] * 2)
    left = repetition_penalty(logits, history([0, 1, 1], []), 2.0)
    np.testing.assert_array_equal(left, [[1.0, -2.0, 0.5, 0.0], [2.0, -1.0, 0.5, 0.0]])


@pytest.mark.parametrize(("said", "n", "forbidden"), [
    ([0, 1, 2, 0, 1], 3, [2]), ([0, 1, 2, 0, 1], 2, [2]), ([0, 1, 2, 0, 1], 1, [0, 1, 2]), ([0, 1, 2], 3, []),
    ([1, 1], 2, [1]), ([0], 2, []), ([], 2, []), ([0, 1, 3, 0, 1, 2, 0, 1], 3, [2, 3]), ([0, 0, 0, 0], 4, [0]), ([0, 1], 9, []),
])
def test_no_ngram_comes_twice(said, n, forbidden):
    for padding in (0, 5):
        before = np.array([[-1] * padding + said], np.int64)
        left = no_repeat_ngram(np.zeros((1, 4)), before, n)
        assert sorted(set(range(4)) - set(kept(left))) == forbidden


def test_a_rule_treats_every_lane_by_itself():
    draws = np.random.default_rng(0)
    logits, said = draws.normal(size=(5, 9)), draws.integers(-1, 9, (5, 12))
    rule = compose(sampling(temperature=0.7, top_k=5, top_p=0.8, min_p=0.1, repetition_penalty=1.2, no_repeat_ngram=2), [3])
    alone = [rule(lane[None], each[None]) for lane, each in zip(logits, said, strict=True)]
    np.testing.assert_array_equal(rule(logits, said), np.concatenate(alone))


@pytest.mark.parametrize("greed", [True, False])
def test_no_rule_changes_what_it_is_given(greed):
    logits, said = np.random.default_rng(0).normal(size=(2, 9)), np.arange(10).reshape(2, 5)
    before = logits.copy()
    compose(sampling(greedy=greed, top_k=5, top_p=0.8, min_p=0.1, repetition_penalty=1.2, no_repeat_ngram=1), [3])(logits, said)
    np.testing.assert_array_equal(logits, before)
    np.testing.assert_array_equal(said, np.arange(10).reshape(2, 5))


@quick
@given(LOGITS.filter(lambda logits: logits.size > 2), st.sampled_from([0.5, 1.0, 2.0]),
       st.none() | st.integers(1, 5), st.none() | st.sampled_from([0.3, 0.9]), st.none() | st.sampled_from([0.1, 0.6]))
def test_rules_compose_in_their_order(logits, heat, k, p, least):
    expected = forbid(logits, [0])
    expected = expected if heat == 1 else temperature(expected, heat)
    expected = expected if k is None else top_k(expected, k)
    expected = expected if p is None else top_p(expected, p)
    expected = expected if least is None else min_p(expected, least)
    rule = compose(sampling(temperature=heat, top_k=k, top_p=p, min_p=least), [0])
    np.testing.assert_array_equal(rule(logits, NOTHING), expected)


def test_penalties_come_before_what_is_kept():
    logits, said = np.log([[0.5, 0.3, 0.2]]), np.array([[0]])
    assert kept(compose(sampling(no_repeat_ngram=1, top_k=1))(logits, said)) == [1]
    assert kept(compose(sampling(repetition_penalty=9, greedy=True))(logits, said)) == [1]


def test_what_is_forbidden_takes_no_place_among_the_best():
    logits = np.array([[3.0, 2.0, 1.0]])
    for rules in ({"greedy": True}, {"top_k": 1}, {"top_p": 0.1}, {"min_p": 0.9}):
        assert kept(compose(sampling(**rules), [0])(logits, NOTHING)) == [1]


def test_top_p_sees_what_temperature_and_top_k_leave():
    logits = np.log([[0.5, 0.3, 0.2]])
    assert kept(compose(sampling(top_p=0.6))(logits, NOTHING)) == [0, 1]
    assert kept(compose(sampling(temperature=0.2, top_p=0.6))(logits, NOTHING)) == [0]
    # of the two best, the better has 5/8
    assert kept(compose(sampling(top_k=2, top_p=0.6))(logits, NOTHING)) == [0]


def test_log_probabilities_are_the_models_own():
    logits = np.random.default_rng(0).normal(size=(4, 9)).astype(np.float32)
    symbols = np.array([0, 3, 8, 1])
    expected = np.log(probabilities(logits))[np.arange(4), symbols]
    np.testing.assert_allclose(log_probabilities(logits, symbols), expected, rtol=1e-12)


def test_even_draws_give_every_symbol_its_share():
    share = np.array([0.5, 0.0, 0.3, 0.15, 0.05])
    with np.errstate(divide="ignore"):
        logits = np.log(share)
    uniform = (np.arange(1000) + 0.5) / 1000
    chosen = draw(np.tile(logits, (1000, 1)), uniform)
    np.testing.assert_allclose(np.bincount(chosen, minlength=5), 1000 * share, atol=1)


@quick
@given(LOGITS.filter(lambda logits: logits.size > 1), st.data())
def test_a_forbidden_symbol_is_never_drawn(logits, data):
    forbidden = data.draw(st.sets(st.integers(0, logits.size - 1), max_size=logits.size - 1))
    uniform = data.draw(st.sampled_from([0.0, LAST]) | st.floats(0, LAST))
    (chosen,) = draw(forbid(logits, sorted(forbidden)), np.array([uniform]))
    assert 0 <= chosen < logits.size
    assert chosen not in forbidden


@pytest.mark.parametrize(("uniform", "expected"), [(0.0, 1), (0.25 - 1e-9, 1), (0.25 + 1e-9, 2), (LAST, 2)])
def test_a_draw_finds_its_place(uniform, expected):
    logits = np.array([[-np.inf, np.log(0.25), np.log(0.75), -np.inf]])
    assert draw(logits, np.array([uniform])).tolist() == [expected]


@pytest.mark.parametrize("value", [1e-300, 1e-45, 1e-30])
def test_no_temperature_is_so_low_that_a_forbidden_symbol_is_drawn(value):
    rule = compose(sampling(temperature=value), [0])
    logits = np.array([[9.0, 3.0, -2.0]], np.float32)
    assert draw(rule(logits, NOTHING), np.array([0.99])).tolist() == [1]
