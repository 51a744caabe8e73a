"""Adaptive conformal inference: what is known at an origin moves its intervals, nothing else does."""

import numpy as np
import pytest

from unroll.evaluation.adaptive import ORIGINS, Followed, Following, _last
from unroll.models.adaptive import RATE, REMEMBERED, adaptive_offsets

SHARE = 0.9


def of_one(before: np.ndarray) -> np.ndarray:
    return np.zeros(len(before), np.int64)


def one(count: int) -> tuple[np.ndarray, np.ndarray]:
    """The series and the place of consecutive origins of one series."""
    return np.zeros(count, np.int64), np.arange(count) + 10


def drifting(count: int, growth: float, seed: int = 0, horizon: int = 1) -> np.ndarray:
    """Scores of values whose deviation grows."""
    deviation = np.linspace(1, growth, count)[:, None, None]
    return np.abs(deviation * np.random.default_rng(seed).standard_normal((count, horizon, 1))) - 1.645


def test_intervals_hold_their_share_while_the_series_changes():
    before, found = drifting(200, 1), drifting(1500, 6)
    moved = adaptive_offsets(found, before, *one(1500), of_one(before), SHARE)
    assert (found <= np.quantile(before, SHARE)).mean() < 0.5, "an interval that does not follow"
    assert (found <= moved).mean() == pytest.approx(SHARE, abs=0.025)


def test_where_nothing_changes_they_stay():
    before, found = drifting(200, 1, 1), drifting(1500, 1, 2)
    moved = adaptive_offsets(found, before, *one(1500), of_one(before), SHARE)
    assert (found <= moved).mean() == pytest.approx(SHARE, abs=0.02)
    assert np.abs(moved).mean() < 0.35


def test_a_step_ahead_is_known_that_many_steps_later():
    """A value h steps ahead moves the interval of the same h, h origins later, and no other."""
    before = np.zeros((20, 3, 2))
    for h in range(3):
        found = np.full((8, 3, 2), -1.0)
        calm = adaptive_offsets(found, before, *one(8), of_one(before), SHARE)
        found[2, h, 1] = 5.0
        changed = np.argwhere(adaptive_offsets(found, before, *one(8), of_one(before), SHARE) != calm)
        assert {tuple(each) for each in changed[:, 1:]} == {(h, 1)}
        assert changed[:, 0].min() == 2 + h + 1


def test_the_share_moves_by_the_rate():
    """Of 99 scores the 90th is taken, and after a miss the one of ⌈100 · (0.9 + 0.05 · 0.9)⌉ among them and the miss."""
    before = np.arange(1.0, 100)[:, None, None]
    found = np.array([1000.0, 0, 0])[:, None, None]
    moved = adaptive_offsets(found, before, *one(3), of_one(before), SHARE).ravel()
    known = [*before.ravel(), 1000.0]
    second = SHARE + RATE * SHARE
    assert moved[0] == 90 and moved[1] == sorted(known)[int(np.ceil(101 * second)) - 1]
    third = second - RATE * (1 - SHARE)
    assert moved[2] == sorted([*known, 0.0])[int(np.ceil(102 * third)) - 1]


def test_series_know_nothing_of_each_other_and_gaps_of_origins_are_waited_for():
    before = np.zeros((20, 1, 1))
    found = np.array([5.0, 5, 0, 0])[:, None, None]
    apart = adaptive_offsets(found, before, np.array([0, 1, 2, 3]), np.arange(4), np.repeat(np.arange(4), 5), SHARE)
    assert not apart.any()
    both = adaptive_offsets(found, before, of_one(found), np.array([3, 4, 40, 41]), of_one(before), SHARE).ravel()
    assert both[0] == 0 and both[1] == both[2] == 5


def followed(quantiles: np.ndarray, truth: np.ndarray, earlier: np.ndarray, earlier_truth: np.ndarray,
             series: np.ndarray, place: np.ndarray, earlier_series: np.ndarray, log: bool) -> Followed:
    """In parts of 70 origins."""
    found = Following(series, place, earlier_series, SHARE, log, truth[0].size)
    for first in range(0, len(earlier), 70):
        found.remember(first, earlier[first : first + 70], earlier_truth[first : first + 70])
    for first in range(0, len(truth), 70):
        found.follow(first, quantiles[first : first + 70], truth[first : first + 70])
    return found.result()


def test_the_last_of_each_series_are_remembered():
    series = np.array([3, 1, 1, 2, 1, 3, 1, 2])
    assert _last(series, np.array([1, 2]), 2).tolist() == [3, 4, 6, 7]
    assert _last(series, np.array([3, 5]), 1).tolist() == [5]


def test_each_series_starts_from_its_own_scores():
    before = np.repeat([1.0, 100], 300)[:, None, None]
    of = np.repeat([4, 2], 300)
    moved = adaptive_offsets(np.zeros((3, 1, 1)), before, np.array([4, 2, 7]), np.array([0, 10, 20]), of, SHARE)
    assert moved.ravel().tolist() == [1, 100, 0], "one without scores is not moved"


def test_of_many_origins_it_says_how_many_are_counted():
    quantiles, truth = np.broadcast_to([-1.0, 0, 1], (ORIGINS + 7, 1, 1, 3)), np.zeros((ORIGINS + 7, 1, 1))
    found = followed(quantiles, truth, quantiles[:5], truth[:5], *one(ORIGINS + 7), np.zeros(5, np.int64), False)
    assert (found.origins, found.of) == (ORIGINS, ORIGINS + 7) and f"{ORIGINS + 7:,}" in found.words


def test_unknown_values_tell_nothing():
    before, found = drifting(30, 1), drifting(50, 3)
    found[::2] = np.nan
    moved = adaptive_offsets(found, before, *one(50), of_one(before), SHARE)
    kept = adaptive_offsets(found[1::2], before, np.zeros(25, np.int64), np.arange(25) * 2 + 11, of_one(before), SHARE)
    assert np.isfinite(moved).all()
    np.testing.assert_array_equal(moved[1::2], kept)
    assert np.isfinite(adaptive_offsets(found, before[:0], *one(50), of_one(before[:0]), SHARE)).all()


def test_no_more_than_the_newest_scores_are_remembered():
    found = np.concatenate([np.full(1, 99.0), np.zeros(REMEMBERED + 5)])[:, None, None]
    moved = adaptive_offsets(found, np.zeros((3, 1, 1)), *one(len(found)), np.zeros(3, np.int64), SHARE).ravel()
    assert moved[1] == 99 and moved[-1] == 0


@pytest.mark.parametrize("log", [False, True])
def test_coverage_and_width_are_of_the_moved_intervals(log):
    draw = np.random.default_rng(4)
    z = draw.standard_normal((900, 1, 1))
    quantiles = np.broadcast_to([-0.3, 0.0, 0.3], (900, 1, 1, 3))
    unit = np.exp if log else np.asarray
    split = slice(300), slice(300, None)
    found = followed(unit(quantiles[split[1]]), unit(z[split[1]]), unit(quantiles[split[0]]), unit(z[split[0]]),
                     *one(600), np.zeros(300, np.int64), log)
    assert found.coverage == pytest.approx(SHARE, abs=0.025)
    assert found.width == pytest.approx(1.645 / 0.3, rel=0.1)
    assert f"{found.coverage:.0%}" in found.words and (found.origins, found.of) == (600, 600)
