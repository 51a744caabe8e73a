"""Exponential smoothing and Theta: what they forecast, from what, and from which origins."""

import numpy as np
import pytest

from tests.evaluation.conftest import evaluation, model_of
from tests.evaluation.test_forecast import prepared, walks
from unroll.baselines import fitted as baselines
from unroll.evaluation import fitted
from unroll.evaluation.forecasts import seasonal_error
from unroll.evaluation.reports import forecast

LEVELS = np.array([0.05, 0.5, 0.95])


@pytest.fixture
def library() -> None:
    pytest.importorskip("statsmodels")


def waves(steps: int, season: int, noise: float = 0.02) -> np.ndarray:
    t = np.arange(steps)
    draw = np.random.default_rng(1)
    return 3 + t / steps + np.sin(2 * np.pi * t / season) + noise * draw.standard_normal(steps)


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("season", [12, 30])
@pytest.mark.usefixtures("library")
def test_what_repeats_itself_and_grows_is_continued(log, season):
    steps = 8 * season
    whole = np.exp(waves(steps + 12, season)) if log else waves(steps + 12, season)
    whole[20:24] = np.nan
    for _, found in baselines.forecasts(whole[:steps], 12, season, log, LEVELS):
        assert found.shape == (12, 3) and (np.diff(found) > 0).all()
        truth, unit = whole[steps:], np.abs(whole[steps:]) if log else 1.0
        assert np.mean(np.abs(found[:, 1] - truth) / unit) < 0.2, "a third of what the last value errs"
        assert not log or (found > 0).all()


@pytest.mark.usefixtures("library")
def test_intervals_of_a_random_walk_hold_what_they_say():
    draw = np.random.default_rng(3)
    inside = {"ets": [], "theta": []}
    for _ in range(60):
        walk = draw.standard_normal(103).cumsum()
        for method, found in baselines.forecasts(walk[:100], 3, 1, False, LEVELS):
            inside[method] += list((found[:, 0] <= walk[100:]) & (walk[100:] <= found[:, 2]))
    for held in inside.values():
        assert 0.8 < np.mean(held) <= 0.97


@pytest.mark.parametrize("values", [np.ones(40), np.arange(5.0)])
def test_a_constant_and_a_few_values_go_on_as_they_are(values):
    for _, found in baselines.forecasts(values, 3, 1, False, LEVELS):
        assert np.isfinite(found).all() and (found[:, 1] == values[-1]).all()


def test_what_is_fitted_is_all_before_the_origin_and_nothing_after(tmp_path):
    series = walks(48, 72)
    made = prepared(tmp_path, series)
    data = made.sequences("test")
    offsets, places = made.offsets("test"), made.places("test")
    for first, end in data.bounds:
        piece = int(np.searchsorted(offsets, first, side="right")) - 1
        last = places[piece].first + end - offsets[piece]
        history = fitted.before(made, "x", places[piece].name, int(last))
        np.testing.assert_allclose(history, series[piece][:last], rtol=1e-6)


@pytest.mark.usefixtures("library")
def test_figures_are_those_of_some_origins_and_the_line_says_so(tmp_path, capsys):
    made = prepared(tmp_path, walks(48, 72))
    found = forecast.report(model_of(made, "forecast"), made, "x", evaluation(train_tokens=8000)).metrics
    assert {f"baseline/{method}_{name}" for method in ("ets", "theta") for name in ("mase", "crps", "coverage")} <= set(found)
    assert found["baseline/ets_mase"] < 2 * found["baseline/naive_mase"]
    assert f"from 4 of {len(made.sequences('test'))} origins" in capsys.readouterr().out


def test_without_the_library_a_line_says_what_to_install(tmp_path, capsys, monkeypatch):
    made = prepared(tmp_path, walks(48, 72))
    monkeypatch.setattr(fitted, "available", lambda: False)
    assert fitted.fitted(made, made.sequences("test"), "x", LEVELS, seasonal_error(made, "x"), 9000) == {}
    assert "pip install 'unroll[statsmodels]'" in capsys.readouterr().out
