"""Which sequence is in which split: all of them once, each class in its share."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unroll.sources.common.splits import cut, deal

SHARES = st.floats(0.01, 0.49)
quick = settings(max_examples=100, deadline=None, derandomize=True)


@quick
@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=60), SHARES, SHARES | st.just(0), st.integers(0, 2**62))
def test_every_sequence_is_in_one_split_and_every_class_in_training(labels, validation, test, seed):
    splits = deal(len(labels), labels, validation, test, seed)
    assert sorted(np.concatenate([*splits.values()]).tolist()) == [*range(len(labels))]
    assert all((np.diff(each) > 0).all() for each in splits.values())
    for name in set(labels):
        members = labels.count(name)
        counts = {split: sum(labels[each] == name for each in chosen) for split, chosen in splits.items()}
        assert counts["train"] >= 1
        assert (counts["validation"] >= 1) == (members >= 2)
        assert (counts["test"] >= 1) == (members >= 3 and test > 0)


@pytest.mark.parametrize("labels", [None, ["a"] * 50 + ["b"] * 150])
def test_the_splits_have_their_shares(labels):
    splits = deal(200, labels, 0.1, 0.2, 1)
    assert {split: len(each) for split, each in splits.items()} == {"train": 140, "validation": 20, "test": 40}
    if labels:
        assert {split: sum(each < 50) for split, each in splits.items()} == {"train": 35, "validation": 5, "test": 10}


def test_the_same_seed_deals_alike_and_another_one_does_not():
    first, again, other = (deal(100, None, 0.1, 0.2, seed) for seed in (1, 1, 2))
    assert all(np.array_equal(first[split], again[split]) for split in first)
    assert not np.array_equal(first["test"], other["test"])


def test_the_largest_shares_leave_something_to_learn_from():
    splits = deal(4, ["a"] * 4, 0.49, 0.49, 1)
    assert {split: len(each) for split, each in splits.items()} == {"train": 1, "validation": 1, "test": 2}


@quick
@given(st.integers(0, 10_000), SHARES, SHARES)
def test_a_series_is_cut_in_order(length, validation, test):
    bounds = cut(length, validation, test)
    (a, b), (c, d), (e, f) = bounds["train"], bounds["validation"], bounds["test"]
    assert (a, b, d, f) == (0, c, e, length) and b <= c <= d <= e <= f
    for first, last, share in ((c, d, validation), (e, f, test)):
        assert abs(last - first - length * share) <= 1
