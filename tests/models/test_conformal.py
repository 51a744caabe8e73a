"""Calibrated quantiles: the finite-sample quantile to the rank, and intervals that hold what they say."""

import numpy as np
import pytest
import torch
from scipy.stats import norm

from unroll.models.conformal import Calibration, bound, calibration, enough

LEVELS = np.array([0.05, 0.1, 0.5, 0.9, 0.95])


@pytest.mark.parametrize(("count", "share", "rank"), [
    (9, 0.9, 9), (10, 0.9, 10), (19, 0.9, 18), (99, 0.9, 90), (100, 0.9, 91), (19, 0.8, 16), (4, 0.8, 4),
    (39, 0.95 - 0.05, 36), (9, 0.3 + 0.6, 9),      # floats above or below 0.9
    (8, 0.9, 8), (1, 0.5, 1), (3, 0.8, 3),          # too few: the largest
])
def test_the_bound_is_the_score_of_that_rank(count, share, rank):
    scores = np.random.default_rng(0).permutation(np.arange(count) + 1.0)
    assert bound(scores[:, None], share).tolist() == [rank]


def test_unknown_scores_do_not_count():
    scores = np.array([[3.0, np.nan, -3, np.nan], [1, np.nan, -1, -5], [2, np.nan, -2, np.nan]])
    assert bound(scores, 0.5).tolist() == [2, 0, -2, -5]
    assert bound(scores, 0.9).tolist() == [3, 0, 0, 0], "too few scores are no reason for a narrower interval"


def test_how_many_are_enough():
    assert [enough(share) for share in (0.5, 0.8, 0.9, 0.95 - 0.05, 0.99)] == [1, 4, 9, 9, 99]
    for share in (0.8, 0.9, 0.99):
        assert bound(-1.0 - np.arange(enough(share))[:, None], share) == -1
        assert bound(-1.0 - np.arange(enough(share) - 1)[:, None], share) == 0


@pytest.mark.parametrize(("count", "share", "expected"), [(9, 0.9, 0.9), (19, 0.8, 0.8), (10, 0.8, 9 / 11)])
def test_a_new_value_is_held_as_often_as_the_theorem_says(count, share, expected):
    """⌈(n + 1) · share⌉ / (n + 1) of exchangeable values, whatever their distribution (Romano et al., 2019)."""
    scores = np.random.default_rng(1).standard_cauchy((count + 1, 40_000))
    assert (scores[-1] <= bound(scores[:-1], share)).mean() == pytest.approx(expected, abs=0.006)


def noisy(count: int, seed: int, wrong: float) -> tuple[np.ndarray, np.ndarray]:
    """Quantiles of a normal distribution whose deviation is 1 or 3 by step, `wrong` times as wide as they should be."""
    deviation = np.array([1.0, 3.0])[:, None]
    truth = deviation * np.random.default_rng(seed).standard_normal((count, 2, 1))
    quantiles = np.broadcast_to((wrong * deviation)[..., None] * norm.ppf(LEVELS), (count, 2, 1, 5))
    return quantiles, truth


def shares(quantiles: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """(H, levels) how many values lie below."""
    return (truth[..., None] <= quantiles).mean(axis=(0, 2))


@pytest.mark.parametrize("wrong", [0.3, 1.0, 2.5])
def test_wrong_intervals_become_right_at_every_step(wrong):
    found = calibration(*noisy(4000, 1, wrong), LEVELS)
    quantiles, truth = noisy(20_000, 2, wrong)
    calibrated = found.applied(torch.from_numpy(quantiles.copy()), 2).numpy()
    before, after = shares(quantiles, truth), shares(calibrated, truth)
    assert found.origins == 4000
    np.testing.assert_allclose(after, np.broadcast_to(LEVELS, (2, 5)), atol=0.02)
    if wrong != 1:
        assert (np.abs(before - LEVELS)[:, [0, -1]] > 0.04).all()
    np.testing.assert_array_equal(calibrated[..., 2], quantiles[..., 2], err_msg="the median stays")
    assert calibrated[0, 1, 0, -1] == pytest.approx(3 * norm.ppf(0.95), rel=0.08)


def test_a_level_without_its_mirror_has_its_own_side():
    levels = np.array([0.5, 0.8])
    truth = np.random.default_rng(3).exponential(size=(6000, 1, 1))
    found = calibration(np.broadcast_to([0.0, 0.0], (6000, 1, 1, 2)), truth, levels)
    assert found.offsets.ravel().tolist() == pytest.approx([0, -np.log(0.2)], abs=0.06)


def test_quantiles_rise_and_an_interval_never_ends_within_a_narrower_one():
    offsets = torch.tensor([3.0, 0.0, 0.0, 5.0, -2.0], dtype=torch.float64)[None, None]
    quantiles = torch.tensor([-2.0, -1.0, 0.0, 1.0, 2.0])[None, None, None]
    found = Calibration(offsets, 9).applied(quantiles, 2)
    assert found.ravel().tolist() == [-1, -1, 0, 6, 6] and found.dtype == quantiles.dtype


def test_nothing_known_calibrates_nothing():
    quantiles, truth = noisy(3, 1, 1.0)
    assert calibration(quantiles, np.full_like(truth, np.nan), LEVELS) is None
