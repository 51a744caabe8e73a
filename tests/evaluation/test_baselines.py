"""Baselines against their formulas, written out the slow way."""

import math
import tracemalloc
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unroll.baselines.classifiers import after
from unroll.baselines.ngrams import unigram, witten_bell, xz_bits

quick = settings(max_examples=60, deadline=None, derandomize=True)
SIZE = 4
IDS = st.lists(st.integers(0, SIZE - 1), min_size=1, max_size=40).map(lambda ids: np.array(ids, np.uint8))


def by_the_formula(train: list[int], test: list[int], size: int, order: int) -> list[float]:
    """P_n(w | h) = (c(h, w) + T(h) · P_{n-1}(w | h')) / (c(h) + T(h)), down to 1 / size."""
    ids = train + test

    def history(at: int, length: int) -> tuple[int | None, ...]:
        return tuple(ids[place] if place >= 0 else None for place in range(at - length, at))

    counts: dict[tuple[int | None, ...], dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for at in range(len(train)):
        for length in range(order):
            counts[history(at, length)][ids[at]] += 1

    def probability(w: int, h: tuple[int | None, ...]) -> float:
        lower = probability(w, h[1:]) if h else 1 / size
        if h not in counts:
            return lower
        c, T = sum(counts[h].values()), len(counts[h])
        return (counts[h].get(w, 0) + T * lower) / (c + T)

    return [-math.log(probability(ids[at], history(at, order - 1))) for at in range(len(train), len(ids))]


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@quick
@given(IDS, IDS)
def test_witten_bell_is_its_formula(order, train, test):
    expected = by_the_formula(train.tolist(), test.tolist(), SIZE, order)
    np.testing.assert_allclose(witten_bell(train, test, SIZE, order), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@quick
@given(IDS, st.lists(st.integers(0, SIZE - 1), max_size=4))
def test_witten_bell_shares_out_all_probability(order, train, before):
    """After what was read, the next symbol is one of the vocabulary, one that was never seen included."""
    last = [witten_bell(train, np.array([*before, symbol]), SIZE + 1, order)[-1] for symbol in range(SIZE + 1)]
    assert np.exp(-np.array(last)).sum() == pytest.approx(1, abs=1e-12)


def test_witten_bell_of_a_thousand_symbols_and_a_large_vocabulary():
    draws = np.random.default_rng(0)
    train, test = (draws.zipf(1.3, size).clip(max=60_000).astype(np.uint16) for size in (1000, 200))
    expected = by_the_formula(train.tolist(), test.tolist(), 65_536, 3)
    np.testing.assert_allclose(witten_bell(train, test, 65_536, 3), expected, rtol=0, atol=1e-12)


def test_a_longer_context_helps_where_there_is_one():
    ids = np.tile(np.array([0, 1, 0, 2, 0, 3]), 200)
    losses = [witten_bell(ids, ids[:60], SIZE, order).mean() for order in (1, 2, 3)]
    assert losses[0] > 2 * losses[1]
    assert losses[1] > 10 * losses[2]


@quick
@given(IDS, IDS)
def test_unigram_counts_every_symbol_once_more(train, test):
    total = len(train) + SIZE
    expected = [-math.log((train.tolist().count(symbol) + 1) / total) for symbol in test.tolist()]
    assert unigram(train, test, SIZE) == pytest.approx(sum(expected) / len(test), abs=1e-12)


def test_xz_needs_about_a_bit_for_a_bit_of_noise():
    noise = np.random.default_rng(0).bytes(20_000)
    assert xz_bits(noise) == pytest.approx(160_000, rel=0.01)
    assert xz_bits(noise) % 8 == 0


def test_xz_needs_little_for_what_it_has_read_before():
    noise, other = np.random.default_rng(0).bytes(20_000), np.random.default_rng(1).bytes(20_000)
    assert xz_bits(noise, before=noise) < 0.02 * xz_bits(noise)
    assert xz_bits(noise, before=other) == pytest.approx(xz_bits(noise), rel=0.01)


def test_xz_sees_back_to_the_first_byte():
    """Beyond the least size of its dictionary, a MiB."""
    noise = np.random.default_rng(0).bytes((1 << 20) + 100_000)
    assert xz_bits(noise[:50_000], before=noise) < 0.02 * 8 * 50_000


def test_what_comes_after_is_the_most_frequent_class_and_else_the_commonest():
    draws = np.random.default_rng(0)
    before, classes, last = draws.integers(0, 9, 60), draws.integers(0, 4, 60), np.arange(12)
    commonest = np.bincount(classes).argmax()
    expected = [np.bincount(classes[before == each]).argmax() if (before == each).any() else commonest for each in last]
    assert after(before, classes, last, 4).tolist() == expected


def test_what_comes_after_is_counted_in_the_memory_of_its_pairs():
    size = 4000
    numbers = np.arange(size)
    tracemalloc.start()
    found = after(numbers, numbers[::-1], numbers, size)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.tolist() == numbers[::-1].tolist() and peak < 8 * size**2 / 20
