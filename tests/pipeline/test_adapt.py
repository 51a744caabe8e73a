"""`unroll predict --adapt`: intervals follow the recent past of the file."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.conftest import run
from tests.pipeline.test_impute import ROWS, waves
from tests.pipeline.test_missing import QUANTILES, SERIES, configured
from tests.refusals import refusal
from unroll.base.workspace import Workspace
from unroll.commands.predict import predict
from unroll.models.adaptive import RATE
from unroll.prediction.adapted import adapt
from unroll.prediction.predictor import load

HEADS = {"x": QUANTILES["x"] | {"levels": [0.05, 0.25, 0.5, 0.75, 0.95]}}


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("adapt")
    (folder / "data" / "raw").mkdir(parents=True)
    waves().to_csv(folder / "data" / "raw" / "load.csv", index=False)
    model = {"inputs": {"x": {"kind": "real", "size": None, "dropout": 0.0}}, "heads": HEADS}
    run(Workspace(folder, folder), configured("gru", data=SERIES, model=model, monitor="loss"), "prepare", "train")
    return folder


def noisy(steps: int, deviation: float, seed: int = 5) -> pd.DataFrame:
    table, draw = waves(steps), np.random.default_rng(seed)
    table["load"] += deviation * draw.standard_normal(steps)
    return table


def predicted(made: Path, folder: Path, table: pd.DataFrame, adapted: bool) -> pd.DataFrame:
    table.to_csv(folder / "in.csv", index=False)
    predict(folder / "in.csv", folder / "out.csv", str(made / "artifacts" / "model"), None, None, adapted=adapted)
    return pd.read_csv(folder / "out.csv")


def test_a_series_that_became_noisy_has_wider_intervals_and_the_other_keeps_its_own(made, tmp_path, capsys):
    table = noisy(400, 1.5)
    before, after = (predicted(made, tmp_path, table, adapted) for adapted in (False, True))
    assert list(before) == list(after) and (before["x"] == after["x"]).all(), "the median stays"
    width = {name: (each["q0.95"] - each["q0.05"]).groupby(each["variable"]).mean() for name, each in
             (("before", before), ("after", after))}
    assert width["after"]["load"] > 1.5 * width["before"]["load"]
    assert 0.5 < width["after"]["heat"] / width["before"]["heat"] < 2
    quantiles = after[["q0.05", "q0.25", "x", "q0.75", "q0.95"]].to_numpy()
    assert (np.diff(quantiles, axis=1) >= 0).all()
    assert "intervals follow what 300 earlier forecasts" in capsys.readouterr().out


def test_intervals_hold_more_of_what_follows(made):
    """Of 40 files of one noisy series, what came after the end of each."""
    predictor = load(made / "artifacts" / "model")
    values = noisy(400, 1.0)[["load", "heat"]].to_numpy()
    held = {"before": [], "after": []}
    for end in range(200, 396, 5):
        own = predictor.predict([values[:end]])[0]
        for name, forecast in (("before", own), ("after", adapt(predictor, [values[:end]], [own]).forecasts[0])):
            truth = values[end : end + 4, 0]
            held[name] += list((forecast[:, 0, 0] <= truth) & (truth <= forecast[:, 0, -1]))
    assert np.mean(held["before"]) < 0.75 < 0.82 < np.mean(held["after"]) <= 0.97


def test_one_earlier_forecast_moves_its_step_ahead_alone(made):
    """By one score, of one step ahead: what it missed by, and not less than nothing."""
    predictor = load(made / "artifacts" / "model")
    values = waves(ROWS + 1)[["load", "heat"]].to_numpy().copy()
    values[-1, 0] += 50
    earlier, own = predictor.predict([values[:ROWS], values])
    found = adapt(predictor, [values], [own])
    assert (found.origins, found.unmoved) == (1, 0)
    missed = values[-1, 0] - earlier[0, 0, -1]
    assert missed > 40 and RATE < 1
    np.testing.assert_allclose(found.forecasts[0][0, 0, -1] - own[0, 0, -1], missed)
    np.testing.assert_allclose(found.forecasts[0][1:], own[1:], err_msg="of later steps nothing is known")


def test_a_series_without_earlier_forecasts_keeps_its_intervals_and_is_counted(made, tmp_path, capsys):
    table = waves(ROWS)
    before, after = (predicted(made, tmp_path, table, adapted) for adapted in (False, True))
    pd.testing.assert_frame_equal(before, after)
    assert "1 series too short for that" in capsys.readouterr().out


def test_with_impute_it_has_no_effect(made, tmp_path):
    waves().to_csv(tmp_path / "in.csv", index=False)
    assert refusal(lambda: predict(tmp_path / "in.csv", tmp_path / "out.csv", str(made / "artifacts" / "model"), None, None,
                                   fill=True, adapted=True)) == ("no-effect", "--adapt")
