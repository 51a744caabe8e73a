"""Forecasts: each measure by hand, and what every origin of the test split was told."""

import csv
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.data.conftest import table, written
from tests.evaluation.conftest import evaluation, model_of
from unroll.baselines.seasonal import Simple, simple
from unroll.data.store import Prepared
from unroll.data.windows import stretches
from unroll.evaluation.forecasts import asked, held, measures, seasonal_error
from unroll.evaluation.reports import forecast
from unroll.evaluation.scored import score
from unroll.evaluation.tallies import Contest, Held, Measures
from unroll.evaluation.walk import forecasts
from unroll.sources.common.series import Series

DRAW = np.random.default_rng(0)
LEVELS = np.array([0.1, 0.25, 0.5, 0.75, 0.9])
quick = settings(max_examples=40, deadline=None, derandomize=True)


def random(count: int = 6, horizon: int = 3, columns: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Rising quantiles (N, H, D, levels) and what came (N, H, D)."""
    quantiles = np.sort(5 + DRAW.standard_normal((count, horizon, columns, 5)), axis=-1)
    return quantiles, 5 + DRAW.standard_normal((count, horizon, columns))


def tally(inside: np.ndarray) -> Held:
    """In two parts."""
    found = Held()
    for part in np.array_split(inside, 2):
        found.add(part)
    return found


def verdict(point: np.ndarray, simple: np.ndarray, truth: np.ndarray, scale: np.ndarray, crps: tuple[float, float]) -> str:
    """In two parts."""
    found = Contest(scale)
    for at in (slice(1), slice(1, None)):
        found.add(point[at], simple[at], truth[at])
    return found.verdict("naive", crps)


def test_measures_of_parts_are_those_of_the_whole():
    quantiles, truth = random(50)
    truth[3:5, 1] = np.nan
    for scale in (np.array([0.5, 2.0]), np.array([0.5, np.nan]), np.full(2, np.nan)):
        found = Measures(LEVELS, scale)
        for first in range(0, 50, 7):
            found.add(quantiles[first : first + 7], truth[first : first + 7])
        assert found.named("x/") == pytest.approx(measures(quantiles, truth, LEVELS, scale, "x/"), rel=1e-12)


def test_every_measure_is_its_formula():
    quantiles, truth = random()
    scale = np.array([0.5, 2.0])
    found = measures(quantiles, truth, LEVELS, scale, "test/")
    mase, smape, crps, mae, held = ([] for _ in range(5))
    for n, h, d in np.ndindex(truth.shape):
        y, q = truth[n, h, d], quantiles[n, h, d]
        mae.append(abs(y - q[2]))
        mase.append(abs(y - q[2]) / scale[d])                                       # Hyndman & Koehler (2006)
        smape.append(200 * abs(y - q[2]) / (abs(y) + abs(q[2])))                    # Makridakis (1993)
        crps += [2 * (a * (y - each) if y > each else (a - 1) * (y - each)) for a, each in zip(LEVELS, q, strict=True)]
        held.append(q[0] <= y <= q[-1])
    assert found == pytest.approx({
        "test/mase": np.mean(mase), "test/smape": np.mean(smape), "test/crps": np.mean(crps), "test/mae": np.mean(mae),
        "test/coverage": np.mean(held), "test/coverage_asked": 0.8,
    })


def test_what_repeats_itself_exactly_has_no_unit_and_does_not_enter_mase():
    quantiles, truth = random()
    found = measures(quantiles, truth, LEVELS, np.array([0.5, np.nan]), "")
    assert found["mase"] == pytest.approx(np.abs(truth - quantiles[..., 2])[..., 0].mean() / 0.5)
    assert measures(quantiles, truth, LEVELS, np.array([np.nan, np.nan]), "")["mase"] == pytest.approx(found["mae"])


@quick
@given(st.integers(0, 99))
def test_a_perfect_forecast_costs_nothing(seed):
    truth = np.random.default_rng(seed).standard_normal((4, 3, 2))
    found = measures(np.repeat(truth[..., None], 5, axis=-1), truth, LEVELS, np.ones(2), "")
    assert (found["mase"], found["smape"], found["crps"], found["mae"], found["coverage"]) == (0, 0, 0, 0, 1)


def test_crps_of_a_single_forecast_is_the_absolute_error():
    quantiles, truth = random()
    found = measures(quantiles[..., 2:3], truth, np.array([0.5]), np.ones(2), "")
    assert found["crps"] == pytest.approx(found["mae"]) == np.abs(truth - quantiles[..., 2]).mean()
    assert "coverage" not in found


def test_crps_of_many_levels_is_that_of_the_distribution():
    """Of a standard normal: y (2Φ(y) - 1) + 2φ(y) - 1/√π (Gneiting & Raftery, 2007)."""
    from scipy.stats import norm

    levels = (np.arange(999) + 1) / 1000
    truth = np.array([-1.5, 0.0, 0.3, 2.0])[:, None, None]
    found = measures(np.broadcast_to(norm.ppf(levels), (4, 1, 1, 999)), truth, levels, np.ones(1), "")
    y = truth.ravel()
    expected = y * (2 * norm.cdf(y) - 1) + 2 * norm.pdf(y) - 1 / math.sqrt(math.pi)
    assert found["crps"] == pytest.approx(expected.mean(), rel=0.01)


def test_a_share_of_true_values_lies_in_the_interval_that_was_asked_for():
    quantiles = np.broadcast_to(np.quantile(DRAW.standard_normal(100_000), LEVELS), (5000, 1, 1, 5))
    found = measures(quantiles, DRAW.standard_normal((5000, 1, 1)), LEVELS, np.ones(1), "")
    assert found["coverage"] == pytest.approx(found["coverage_asked"], abs=0.02)


def test_where_both_are_zero_nothing_is_lost():
    found = measures(np.zeros((1, 1, 1, 5)), np.zeros((1, 1, 1)), LEVELS, np.ones(1), "")
    assert found["smape"] == 0


# ------------------------------------------------------------------------------------------------------ a whole split

SETTINGS: dict[str, Any] = {"horizon": 3, "context": 4, "season": 2, "log": False, "start": "season", "window": "none", "stride": 1,
                            "eval_stride": 1, "eval_windows": None}


def prepared(folder, series: list[np.ndarray], **changes: Any) -> Prepared:
    config = table({"x": "real"}, {"x": "forecast"}, {**SETTINGS, **changes})
    assert config.forecast is not None
    names = [str(each) for each in range(len(series))]
    return written(folder, config, Series("x", series, names, config.forecast, 0.25, 0.25))


def walks(*lengths: int) -> list[np.ndarray]:
    return [30 + np.cumsum(np.random.default_rng(each).standard_normal((each, 2)), axis=0) for each in lengths]


def test_no_window_lies_across_a_gap(tmp_path):
    values = np.delete(np.arange(200.0), [60, 61, 130])[:, None]
    config = table({"x": "real"}, {"x": "forecast"}, SETTINGS)
    assert config.forecast is not None
    source = Series("x", [values], ["1"], config.forecast, 0.25, 0.25, {}, [np.array([0, 60, 128, 197])])
    known = written(tmp_path, config, source)
    for split, count in (("train", 60 - 8 + 38 - 8), ("validation", 36 - 8 + 19 - 8), ("test", 56 - 8)):
        window, future = stretches(known.sequences(split), "x")
        both = np.concatenate([window, future])[..., 0]
        assert (np.diff(both, axis=0) == 1).all() and both.shape[1] == count


def test_a_constant_has_no_scale(tmp_path):
    series = [np.stack([each[:, 0], np.full(len(each), 0.1)], axis=1) for each in walks(48)]
    assert np.isnan(seasonal_error(prepared(tmp_path, series), "x")).tolist() == [False, True]


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.filterwarnings("error")
def test_what_is_never_known_a_season_apart_has_no_scale_and_no_warning(tmp_path, log):
    """Nor is what no future of training knows."""
    n = np.arange(72)
    series = np.stack([5 + n % 3, 2 + n % 2, 2 + n % 2], axis=1).astype(float)
    series[n % 2 == 1, 1] = np.nan
    series[7:36, 2] = np.nan
    config = table({"x": "real"}, {"x": "forecast"}, {**SETTINGS, "season": 3, "log": log}).model_copy(
        update={"missing": "mask"})
    made = written(tmp_path, config, Series("x", [series], ["1"], config.forecast, 0.25, 0.25))
    assert np.isnan(seasonal_error(made, "x")).tolist() == [True, True, False]
    report = forecast.report(model_of(made, "forecast"), made, "x", evaluation())
    assert all(math.isfinite(value) for value in report.metrics.values())


@pytest.mark.filterwarnings("error")
def test_a_step_ahead_of_which_nothing_is_known_has_no_share():
    inside = np.ones((4, 2, 1, 1))
    inside[:, 1] = np.nan
    assert np.isnan(tally(inside).by_step(np.array([0.8]))[1]["coverage_0.8"])
    assert "nan" not in tally(inside).words(0.8) and "100%" in tally(inside).words(0.8)


def test_the_scale_is_the_seasonal_naive_error_within_training(tmp_path):
    series = walks(48, 72)
    errors = np.concatenate([np.abs(each[2 : len(each) // 2] - each[: len(each) // 2 - 2]) for each in series])
    np.testing.assert_allclose(seasonal_error(prepared(tmp_path, series), "x"), errors.mean(axis=0), rtol=1e-5)


def test_a_constant_series_is_measured_too(tmp_path):
    made = prepared(tmp_path, [np.full((48, 1), 5.0)])
    metrics = forecast.report(model_of(made, "forecast"), made, "x", evaluation()).metrics
    assert all(math.isfinite(value) for value in metrics.values())
    assert metrics["baseline/naive_mae"] == metrics["baseline/seasonal_naive_mae"] == metrics["baseline/drift_mae"] == 0


@pytest.mark.parametrize("changes", [{}, {"season": 1}, {"horizon": 7}])
def test_simple_methods_are_what_they_say(tmp_path, changes):
    made = prepared(tmp_path, walks(48, 72), **changes)
    data = made.sequences("test")
    assert data.frame is not None and data.bounds is not None
    horizon, season = data.frame.forecast.horizon, data.frame.forecast.season
    values = data.inputs["x"].values.astype(np.float64)
    window, _ = stretches(data, "x")
    found = simple(data.frame, window)
    assert {each.shape for each in found.values()} == {(len(data), horizon, 2)}
    for number, (first, last) in enumerate(data.bounds):
        for h in range(horizon):
            back = -(-(h + 1) // season) * season
            np.testing.assert_allclose(found["naive"][number, h], values[last - 1])
            np.testing.assert_allclose(found["seasonal_naive"][number, h], values[last + h - back])
            slope = (values[last - 1] - values[first]) / (last - 1 - first)
            np.testing.assert_allclose(found["drift"][number, h], values[last - 1] + (h + 1) * slope)


def test_on_a_straight_line_the_drift_is_right_and_on_a_season_the_season(tmp_path):
    t = np.arange(60.0)[:, None]
    line = forecast.report(*reported(tmp_path / "a", t + 10)).metrics
    wave = forecast.report(*reported(tmp_path / "b", 10 + t % 2)).metrics
    assert line["baseline/drift_mase"] == pytest.approx(0, abs=1e-6) and line["baseline/naive_mase"] > 0.5
    assert wave["baseline/seasonal_naive_mae"] == pytest.approx(0, abs=1e-6) and wave["baseline/naive_mae"] > 0.3


def reported(folder, series: np.ndarray) -> tuple[Any, ...]:
    made = prepared(folder, [series])
    return model_of(made, "forecast"), made, "x", evaluation()


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("lanes", [1, 5, 100])
def test_every_origin_of_the_test_split_is_forecast_in_its_order(tmp_path, log, lanes):
    """In units of the series, whatever windows share a batch."""
    made = prepared(tmp_path, [np.exp(each / 30) for each in walks(48, 72)], log=log)
    model, data = model_of(made, "forecast"), made.sequences("test")
    assert data.frame is not None and data.bounds is not None
    quantiles, truth = forecasts(model, data, "x", evaluation(lanes=lanes))
    assert quantiles.shape == (len(data), 3, 2, 5) and len(data) == (12 - 2) + (18 - 2)
    assert (np.diff(quantiles, axis=-1) >= 0).all()
    values = data.inputs["x"].values
    for number, (_first, last) in enumerate(data.bounds):
        np.testing.assert_array_equal(truth[number], values[last : last + 3])
        alone, _ = forecasts(model, data.only(slice(number, number + 1)), "x", evaluation(lanes=1))
        np.testing.assert_allclose(quantiles[number], alone[0], rtol=1e-5)


def test_a_report_is_the_same_whatever_is_in_memory_together(tmp_path, monkeypatch):
    made = prepared(tmp_path, walks(148, 172))
    model, sizes = model_of(made, "forecast"), []
    whole = forecast.report(model, made, "x", evaluation(lanes=4))
    monkeypatch.setattr("unroll.evaluation.walk.NUMBERS", 300)
    monkeypatch.setattr("unroll.evaluation.walk.score", lambda network, data, *rest: (
        sizes.append(len(data)), score(network, data, *rest))[1])
    monkeypatch.setattr("unroll.evaluation.forecasts.STRETCH", 7)
    parts = forecast.report(model, made, "x", evaluation(lanes=4))
    assert max(sizes) == 4 and sum(sizes) == 2 * len(made.sequences("test"))
    assert parts.metrics == pytest.approx(whole.metrics, rel=1e-9)
    assert parts.prose == whole.prose
    for report, name in ((whole, "whole"), (parts, "parts")):
        (tmp_path / name).mkdir()
        report.draw(tmp_path / name)
    assert (tmp_path / "whole" / "fan.png").read_bytes() == (tmp_path / "parts" / "fan.png").read_bytes()
    assert (tmp_path / "whole" / "coverage.csv").read_text() == (tmp_path / "parts" / "coverage.csv").read_text()


def test_a_report_says_how_many_of_the_windows_are_scored(tmp_path):
    made = prepared(tmp_path, walks(148, 172), eval_windows=20)
    found = forecast.report(model_of(made, "forecast"), made, "x", evaluation()).prose.found
    assert any("20 of 76 windows" in words for words in found)
    everything = prepared(tmp_path / "all", walks(148, 172))
    assert not any("windows" in words for words in forecast._scored(everything))


def test_the_report_holds_every_measure_of_every_method(tmp_path):
    made = prepared(tmp_path, walks(48, 72))
    report = forecast.report(model_of(made, "forecast"), made, "x", evaluation(train_tokens=500))      # ETS: no fit
    own = {f"{prefix}{name}" for prefix in ("test/", "best/val_")
           for name in ("mase", "smape", "crps", "mae", "coverage", "coverage_asked")}
    own |= {"test/coverage_adaptive", "test/width_adaptive", "test/scaled_mse", "test/scaled_mae"}
    methods = {"naive", "seasonal_naive", "drift"}
    theirs = {f"baseline/{method}_{name}" for method in methods for name in ("mase", "smape", "crps", "mae", "coverage",
                                                                               "scaled_mse", "scaled_mae")}
    assert own | theirs == set(report.metrics)
    assert (report.measure, report.higher_is_better, set(report.comparison.baselines)) == ("mase", False, methods)
    report.draw(tmp_path)
    assert (tmp_path / "fan.png").stat().st_size > 5000
    with (tmp_path / "coverage.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == ["1", "2", "3"]
    assert np.mean([float(row["coverage_0.8"]) for row in rows]) == pytest.approx(report.metrics["test/coverage"])


def test_intervals_of_simple_methods_are_quantiles_of_their_errors_in_training(tmp_path):
    """By step ahead; with `log` of the error's share."""
    levels = np.array([0.1, 0.5, 0.9])
    for log in (False, True):
        made = prepared(tmp_path / str(log), walks(90), log=log)
        past, data = made.sequences("train"), made.sequences("test")
        before, after = stretches(past, "x")
        z = np.log if log else np.asarray
        errors = z(after.transpose(1, 0, 2).astype(float)) - z(simple(past.frame, before)["naive"])
        window = stretches(data, "x")[0]
        each = Simple(past, "x", levels, 10**6).forecasts(window)
        assert next(each)[0] == "naive", "one at a time: all of them need not fit in memory"
        found = {method: around for method, _, around in Simple(past, "x", levels, 10**6).forecasts(window)}
        expected = np.quantile(errors, levels, axis=0).transpose(1, 2, 0)           # (H, D, levels)
        point = simple(data.frame, window)["naive"]
        np.testing.assert_allclose(z(found["naive"]) - z(point)[..., None], np.broadcast_to(expected, (*point.shape, 3)),
                                   atol=1e-9)
        assert (np.diff(found["drift"], axis=-1) >= 0).all()


def test_intervals_of_the_seasonal_naive_forecast_hold_what_repeats_itself_with_noise(tmp_path):
    draw = np.random.default_rng(3)
    made = prepared(tmp_path, [50 + 9 * (np.arange(900) % 2)[:, None] + draw.standard_normal((900, 1))])
    metrics = forecast.report(model_of(made, "forecast"), made, "x", evaluation()).metrics
    assert metrics["baseline/seasonal_naive_coverage"] == pytest.approx(0.8, abs=0.04)
    assert metrics["baseline/seasonal_naive_crps"] < 0.8 * metrics["baseline/seasonal_naive_mae"]


def test_coverage_is_counted_by_step_and_interval():
    quantiles = np.broadcast_to(np.array([-2.0, -1, 0, 1, 2]), (4, 2, 1, 5))
    truth = np.array([[0, 3], [1.5, 3], [-1.5, 0], [9, np.nan]], float)[..., None]
    inside, shares = held(quantiles, truth), asked(LEVELS)
    assert shares.tolist() == pytest.approx([0.8, 0.5])
    first, second = tally(inside).by_step(np.array([0.8, 0.5]))
    assert first == {"step": 1, "values": 4, "coverage_0.8": 0.75, "coverage_0.5": 0.25}
    assert second == {"step": 2, "values": 3, "coverage_0.8": pytest.approx(1 / 3), "coverage_0.5": pytest.approx(1 / 3)}


def test_the_verdict_says_by_how_much_and_from_how_many_origins():
    truth = np.zeros((4, 2, 1))
    one = np.array([1.0, 1, 1, 5])[:, None, None] * np.ones((4, 2, 1))
    four = np.full((4, 2, 1), 4.0)
    scale = np.ones(1)
    assert verdict(one, four, truth, scale, (3.0, 2.0)) == (
        "it beats naive: its error is 50% lower (lower from 3 of 4 origins), its CRPS 50% higher")
    worse = verdict(four, one, truth, scale, (1.0, 2.0))
    assert "does not beat" in worse and "100% higher (lower from 1 of 4" in worse and "CRPS 50% lower" in worse
    assert verdict(one, truth, truth, np.array([np.nan]), (1.0, 2.0)) == "naive makes no error"


def test_scaled_errors_are_in_units_of_each_variables_deviation_in_training(tmp_path):
    made = prepared(tmp_path, walks(48, 72))
    found = forecast.report(model_of(made, "forecast"), made, "x", evaluation()).metrics
    data, unit = made.sequences("test"), np.asarray(made.values("x", "train")).std(axis=0)
    window, future = stretches(data, "x")
    error = (future - window[-1]) / unit
    assert found["baseline/naive_scaled_mse"] == pytest.approx((error**2).mean(), rel=1e-5)
    assert found["baseline/naive_scaled_mae"] == pytest.approx(np.abs(error).mean(), rel=1e-5)
