"""Generated sequences: the same for the same settings, and what their laws say."""

from pathlib import Path

import numpy as np
import pytest

from unroll.config.sources.mackey_glass import Settings as MackeyGlassData
from unroll.config.sources.signals import Settings as SignalsData
from unroll.data.source import SPLITS, Source
from unroll.sources import Access, digest, open_source
from unroll.sources.mackey_glass import mackey_glass
from unroll.sources.signals import signals

COMMON = {"validation": 0.1, "test": 0.2, "scale": "standard", "inputs": {"x": "real"}}


def chaos(**changes) -> MackeyGlassData:
    given = {"kind": "mackey_glass", "tau": 17.0, "interval": 6.0, "steps": 100, "seed": 1, "targets": {"x": "next"}}
    return MackeyGlassData(**{**COMMON, **given, **changes})


def waves(**changes) -> SignalsData:
    given = {"kind": "signals", "size": 10, "laws": 4, "steps": 500, "dwell": 20, "noise": 0.3, "seed": 1,
             "targets": {"tag": "tag"}}
    return SignalsData(**{**COMMON, **given, **changes})


def opened(config) -> Source:
    return open_source(config, Access(Path()))[0]


@pytest.mark.parametrize("tau", [17.0, 17.03, 30.0])
def test_the_series_satisfies_its_delay_equation(tau):
    """dx/dt = 0.2·x(t - τ) / (1 + x(t - τ)^10) - 0.1·x(t): central differences of fourth order against the right side."""
    step = 0.1
    x = mackey_glass(tau, step, 4000, seed=1)[:, 0]
    slope = (x[:-4] - 8 * x[1:-3] + 8 * x[3:-1] - x[4:]) / (12 * step)      # at 2, 3, …, N - 3
    at = np.arange(2, len(x) - 2)
    at, slope = at[at > tau / step], slope[at > tau / step]
    before = np.interp(at - tau / step, np.arange(len(x)), x)
    expected = 0.2 * before / (1 + before**10) - 0.1 * x[at]
    assert np.abs(expected).max() > 0.05
    np.testing.assert_allclose(slope, expected, rtol=0, atol=3e-4)


def test_the_series_stays_where_the_literature_has_it():
    x = mackey_glass(17.0, 1.0, 3000, seed=1)
    assert x.shape == (3000, 1)
    assert 0.2 < x.min() < 0.5 and 1.2 < x.max() < 1.4      # Mackey & Glass (1977); Jaeger (2001)


@pytest.mark.parametrize(("interval", "every"), [(6.0, 60), (1.0, 10), (0.1, 1)])
def test_the_interval_picks_steps_of_one_solution(interval, every):
    fine = mackey_glass(17.0, 0.1, 601, seed=3)
    assert np.allclose(mackey_glass(17.0, interval, 600 // every + 1, seed=3), fine[::every], rtol=0, atol=1e-12)


def test_steps_between_grid_points_are_interpolated():
    fine, between = mackey_glass(17.0, 0.1, 101, seed=3), mackey_glass(17.0, 0.05, 201, seed=3)
    assert np.allclose(between[::2], fine, rtol=0, atol=1e-12)
    assert np.allclose(between[1::2], (fine[1:] + fine[:-1]) / 2, rtol=0, atol=1e-12)


def test_a_small_change_grows():
    """Chaotic from τ = 17 on: two starts part, two equal ones do not."""
    first, second = (mackey_glass(30.0, 1.0, 500, seed) for seed in (1, 2))
    assert np.abs(first - second).max() > 0.3


@pytest.mark.parametrize("tau", [0.05, 0.0, -1.0])
def test_a_delay_below_the_grid_is_refused(tau):
    with pytest.raises(ValueError, match="tau"):
        chaos(tau=tau)
    assert np.isfinite(mackey_glass(0.1, 1.0, 50, seed=1)).all()


def tags(signal: np.ndarray, laws: int) -> np.ndarray:
    """The law that explains three neighbouring steps: of a law ω, x_{t+1} + x_{t-1} = 2 cos ω · x_t."""
    residuals = [np.abs(signal[2:] + signal[:-2] - 2 * np.cos(0.15 * 1.6**law) * signal[1:-1]).sum(axis=1)
                 for law in range(laws)]
    return np.argmin(residuals, axis=0)


@pytest.mark.parametrize("laws", [2, 4, 6])
def test_a_tag_is_the_law_at_work(laws):
    signal, law = signals(size=5, laws=laws, steps=3000, dwell=40, noise=0.0, seed=2)
    assert signal.shape == (3000, 5) and set(law) == {*range(laws)}
    steady = law[1:-1] == law[2:]                   # of steps t and t + 1, the law moves t to t + 1
    assert (tags(signal, laws) == law[2:])[steady].all()
    speeds = 0.15 * 1.6 ** law[2:][steady]
    left = signal[2:] + signal[:-2]
    np.testing.assert_allclose(left[steady], 2 * np.cos(speeds)[:, None] * signal[1:-1][steady], rtol=0, atol=1e-9)


def test_a_moment_alone_says_nothing_of_the_law():
    """Each law passes through all phases alike."""
    signal, law = signals(size=3, laws=3, steps=30_000, dwell=50, noise=0.0, seed=1)
    means = np.stack([signal[law == each].mean(axis=0) for each in range(3)])
    spreads = np.stack([signal[law == each].std(axis=0) for each in range(3)])
    assert np.abs(means / signal.std(axis=0)).max() < 0.1 and np.abs(spreads / signal.std(axis=0) - 1).max() < 0.1


@pytest.mark.parametrize("dwell", [10, 100])
def test_a_law_stays_as_long_as_is_asked_for(dwell):
    _, law = signals(size=1, laws=4, steps=50_000, dwell=dwell, noise=0.0, seed=1)
    changes = (np.diff(law) != 0).mean()
    assert changes == pytest.approx(3 / 4 / dwell, rel=0.15)      # one in four draws is the law that was


def test_noise_is_added_with_its_deviation():
    clean, law = signals(10, 4, 5000, 20, 0.0, seed=1)
    noisy, same = signals(10, 4, 5000, 20, 0.5, seed=1)
    assert np.array_equal(law, same)
    assert (noisy - clean).std() == pytest.approx(0.5, rel=0.02) and abs((noisy - clean).mean()) < 0.01


@pytest.mark.parametrize("config", [chaos, waves])
def test_the_same_settings_are_the_same_sequences_and_others_are_not(config):
    assert digest(opened(config())) == digest(opened(config()))
    assert digest(opened(config())) != digest(opened(config(seed=2)))


@pytest.mark.parametrize("config", [chaos, waves])
def test_a_generated_stream_is_cut_in_order(config):
    source = opened(config(steps=200))
    assert source.layout == "stream"
    parts = [list(source.pieces(split)) for split in SPLITS]
    assert [len(part[0]["x"]) for part in parts] == [140, 20, 40]
    whole = np.concatenate([part[0]["x"] for part in parts])
    expected = mackey_glass(17.0, 6.0, 200, 1) if config is chaos else signals(10, 4, 200, 20, 0.3, 1)[0]
    assert np.array_equal(whole, expected)


def test_laws_are_named_and_stand_beside_their_steps():
    source = opened(waves(steps=200))
    _, law = signals(10, 4, 200, 20, 0.3, 1)
    named = np.concatenate([next(iter(source.pieces(split)))["tag"] for split in SPLITS])
    assert named.tolist() == [f"law {each + 1}" for each in law]
