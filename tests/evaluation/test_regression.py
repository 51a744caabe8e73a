"""Values: errors in the target's own units, against scikit-learn and by hand."""

import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score

from tests.data.conftest import dealt, npz, written
from tests.evaluation.conftest import evaluation, model_of
from unroll.config.sources.mackey_glass import Settings as MackeyGlassData
from unroll.data.encoders import scaler_of
from unroll.evaluation.reports import regression
from unroll.evaluation.reports.regression import measures
from unroll.evaluation.scored import score
from unroll.sources.common.memory import OneStream

DRAW = np.random.default_rng(0)
LENGTHS = [4, 6, 3, 5, 2, 7, 8, 3]


@pytest.mark.parametrize("numbers", [1, 3])
def test_errors_are_scikit_learns(numbers):
    predicted, truth = DRAW.standard_normal((40, numbers)), DRAW.standard_normal((40, numbers))
    found = measures(predicted, truth, "test/")
    assert found == {
        "test/mse": pytest.approx(mean_squared_error(truth, predicted)),
        "test/mae": pytest.approx(mean_absolute_error(truth, predicted)),
        "test/r2": pytest.approx(r2_score(truth, predicted)),
    }


def test_a_perfect_prediction_is_perfect_and_the_mean_explains_nothing():
    truth = DRAW.standard_normal((30, 2))
    assert measures(truth, truth, "") == {"mse": 0, "mae": 0, "r2": 1}
    assert measures(np.broadcast_to(truth.mean(axis=0), truth.shape), truth, "")["r2"] == pytest.approx(0, abs=1e-9)


def test_r2_of_a_single_target_is_0():
    assert measures(np.ones((1, 1)), np.zeros((1, 1)), "") == {"mse": 1, "mae": 1, "r2": 0}


@pytest.mark.parametrize("scale", ["standard", "none"])
@pytest.mark.parametrize("kind", ["value", "values"])
def test_the_report_is_in_units_of_the_target(tmp_path, kind, scale):
    """Whatever the network is taught: L = 1/N Σ (y - y_true)² of the values themselves."""
    y = [1000 + 50 * DRAW.standard_normal(2 if kind == "value" else (length, 2)) for length in LENGTHS]
    pieces = [{"x": DRAW.standard_normal((length, 2)), "y": each} for length, each in zip(LENGTHS, y, strict=True)]
    made = written(tmp_path, npz("y", kind, scale), dealt(pieces))
    model = model_of(made, kind)
    report = regression.report(model, made, "y", evaluation())
    scored = score(model.network, made.sequences("test"), "y", evaluation())
    truth = np.concatenate([np.atleast_2d(each) for each in y[6:]])
    predicted = scaler_of(made.spec.targets["y"]).decode(scored.predictions)
    assert report.metrics["test/mse"] == pytest.approx(((predicted - truth) ** 2).mean(), rel=1e-4)
    assert report.metrics["test/mae"] == pytest.approx(np.abs(predicted - truth).mean(), rel=1e-4)
    mean = np.concatenate([np.atleast_2d(each) for each in y[:4]]).mean(axis=0)
    assert report.metrics["baseline/mean_mse"] == pytest.approx(((mean - truth) ** 2).mean(), rel=1e-4)
    if scale == "none":
        assert report.metrics["test/loss"] == pytest.approx(report.metrics["test/mse"], rel=1e-4)
    assert set(report.comparison.baselines) == {"mean"} and report.measure == "mse" and not report.higher_is_better
    report.draw(tmp_path)
    assert {file.name for file in tmp_path.glob("*.png")} == {"against.png"} | ({"traces.png"} if kind == "values" else set())


def test_the_last_value_is_a_baseline_of_the_next(tmp_path):
    config = MackeyGlassData(kind="mackey_glass", tau=17.0, interval=1.0, steps=90, scale="standard",
                             inputs={"x": "real"}, targets={"x": "next"}, validation=0.25, test=0.25, seed=1)
    x = 20 + np.cumsum(DRAW.standard_normal((90, 2)), axis=0)
    made = written(tmp_path, config, OneStream({"x": x}, {"train": (0, 40), "validation": (40, 60), "test": (60, 90)}))
    found = regression.report(model_of(made, "values"), made, "x", evaluation(lanes=3, warmup=4)).metrics
    before, after = x[60:89], x[61:90]
    assert found["baseline/last_mse"] == pytest.approx(((before - after) ** 2).mean(), rel=1e-4)
    assert found["baseline/last_mae"] == pytest.approx(np.abs(before - after).mean(), rel=1e-4)
    assert found["baseline/mean_mse"] == pytest.approx(((x[:40].mean(axis=0) - after) ** 2).mean(), rel=1e-4)
