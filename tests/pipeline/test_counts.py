"""Series of counts, from the file to predictions and sample paths."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from tests.conftest import run
from tests.pipeline.test_missing import SERIES, configured, figures, hide
from tests.refusals import refusal
from unroll.base.workspace import Workspace
from unroll.config.schema import Config
from unroll.prediction.paths import sample_paths
from unroll.prediction.predictor import load

LEVELS = [0.05, 0.25, 0.5, 0.75, 0.95]
COUNTS = SERIES | {"forecast": SERIES["forecast"] | {"log": "counts"}, "missing": "mask"}


def visits(steps: int = 500) -> pd.DataFrame:
    draw = np.random.default_rng(2)
    mean = 6 + 5 * np.sin(2 * np.pi * np.arange(steps) / 6)
    table = pd.DataFrame({"hour": np.arange(steps), "load": draw.negative_binomial(3, 3 / (3 + mean)).astype(float),
                          "heat": draw.poisson(2, steps).astype(float)})
    return hide(table, {"load": 0.1})


def written(folder: Path, table: pd.DataFrame) -> Workspace:
    (folder / "data" / "raw").mkdir(parents=True, exist_ok=True)
    table.to_csv(folder / "data" / "raw" / "load.csv", index=False)
    return Workspace(folder, folder)


def config(loss: str, data: dict[str, Any] = COUNTS, calibration: str = "none") -> Config:
    head = {"kind": "forecast", "loss": loss, "levels": LEVELS, "calibration": calibration, "decoder": None, "pooling": "last", "dropout": 0.0}
    model = {"inputs": {"x": {"kind": "real", "size": None, "dropout": 0.0}}, "heads": {"x": head}}
    return configured("gru", data=data, model=model, monitor="loss")


@pytest.mark.parametrize("calibration", ["none", "conformal"])
def test_counts_are_forecast_as_whole_numbers_and_their_paths_are_such(tmp_path, calibration):
    workspace = written(tmp_path, visits())
    run(workspace, config("negative_binomial", calibration=calibration), "prepare", "train", "evaluate", "generate")
    found = figures(workspace)
    assert found["test/mase"] < found["baseline/seasonal_naive_mase"] and 0.8 < found["test/coverage"] <= 1
    kept = pd.read_csv(workspace.samples / "predictions.csv")
    whole = kept[["q0.05", "x", "q0.95"] if calibration == "none" else ["x"]]
    np.testing.assert_allclose(whole, whole.round(), atol=1e-4)
    if calibration == "none":
        paths = pd.read_csv(workspace.samples / "paths.csv").iloc[:, 3:]
        assert (paths == paths.round()).all().all() and paths.min().min() == 0 and paths.nunique().min() > 4
    history = np.column_stack([np.tile([11.0, 9, 6, 1, 3, 7], 6), np.full(36, 2.0)])
    predictor = load(workspace.model)
    drawn = sample_paths(predictor, history, 2000, 1, seed=1)[:, 0]      # (paths, variables), a step ahead
    quantiles = predictor.predict([history])[0][0]
    assert (drawn == drawn.round()).all() and (drawn >= 0).all()
    if calibration == "none":       # exactly whole, so that a count at the end of an interval is within it
        assert (quantiles == quantiles.round()).all()
    for variable in range(2):
        below = (drawn[:, variable] <= quantiles[variable, 3]).mean()
        assert below > 0.7, "three quarters, or more, since counts are whole"
    assert refusal(lambda: predictor.predict([history + 0.5]))[0] == "out-of-range"


def test_student_s_t_draws_from_its_tails(tmp_path):
    workspace = written(tmp_path, visits())
    run(workspace, config("student_t", COUNTS | {"forecast": SERIES["forecast"]}), "prepare", "train")
    predictor = load(workspace.model)
    history = np.column_stack([np.tile([11.0, 9, 6, 1, 3, 7], 6), np.full(36, 2.0)])
    drawn = np.sort(sample_paths(predictor, history, 4000, 1, seed=1)[:, 0, 0])
    quantiles = predictor.predict([history])[0][0, 0]
    np.testing.assert_allclose([(drawn < each).mean() for each in quantiles], LEVELS, atol=0.03)
    # beyond the outermost level, farther than a straight line through the last two would lead
    assert drawn[-1] > quantiles[-1] + (quantiles[-1] - quantiles[-2]) / 0.2 * 0.05


@pytest.mark.parametrize(("value", "missing"), [(2.5, "mask"), (-1.0, "mask")])
def test_what_is_no_count_is_refused(tmp_path, value, missing):
    table = visits()
    table.loc[20, "heat"] = value
    code, where = refusal(lambda: run(written(tmp_path, table), config("negative_binomial"), "prepare"))
    assert code == "bad-number" and where.endswith("step 21, number 2")


@pytest.mark.parametrize(("loss", "log", "where"), [
    ("negative_binomial", False, "data.forecast.log"), ("quantile", "counts", "model.heads.x.loss")])
def test_a_loss_of_counts_and_series_of_counts_go_together(loss, log, where):
    with pytest.raises(ValidationError, match=where):
        config(loss, COUNTS | {"forecast": SERIES["forecast"] | {"log": log}})
