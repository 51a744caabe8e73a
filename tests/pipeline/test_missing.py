"""Tables with holes in their inputs, from the source to predictions, for each way to deal with them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.conftest import run, tiny
from tests.pipeline.test_fields import DATA, MODEL, patients
from tests.refusals import refusal
from unroll.base.workspace import Workspace
from unroll.commands.predict import predict
from unroll.config.schema import Config
from unroll.data.batches import all_batches
from unroll.data.store import open_prepared
from unroll.data.windows import WindowLayout
from unroll.prediction.predictor import load

WAYS = ["mask", "forward", "mean", "interpolate"]
QUANTILES = {"x": {"kind": "forecast", "loss": "quantile", "levels": [0.1, 0.5, 0.9], "calibration": "conformal", "pooling": "last", "dropout": 0.0}}
SERIES = {
    "path": "data/raw/load.csv", "columns": {"x": ["load", "heat"]}, "series": None, "time": "hour", "inputs": {"x": "real"},
    "targets": {"x": "forecast"}, "forecast": {"horizon": 4, "context": 12, "season": 6, "log": False, "stride": 1},
}


def configured(cell: str, **changes: Any) -> Config:
    values: dict[str, Any] = tiny(f"model={cell.removeprefix('bi')}", "model.core.hidden_size=8", "train.epochs=6", "train.max_steps=null",
                                  "train.learning_rate=0.02", "runtime.tracking.enabled=false").model_dump(mode="json")
    values["data"] = DATA | changes.pop("data", {})
    values["model"] |= changes.pop("model", MODEL)
    values["model"]["core"] |= {"bidirectional": True} if cell == "bigru" else {}
    values["train"] |= {"weights": {}} | changes
    return Config.model_validate(values)


def figures(workspace: Workspace) -> dict[str, float]:
    return {name: value for stage in ("train", "test")
            for name, value in json.loads((workspace.metrics / f"{stage}.json").read_text()).items()}


def hide(table: pd.DataFrame, columns: dict[str, float], seed: int = 0) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    for column, share in columns.items():
        table.loc[draw.random(len(table)) < share, column] = np.nan
    return table


@pytest.fixture(scope="module")
def holes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("holes")
    file = folder / "data" / "raw" / "patients.csv"
    patients(file)
    table = hide(pd.read_csv(file), {"pulse": 0.3, "pressure": 0.1})
    table.loc[table["id"].isin(["p1", "p7", "p30"]), "age"] = np.nan
    table.to_csv(file, index=False)
    return folder


@pytest.mark.parametrize(("way", "cell"), [*((way, "gru") for way in WAYS), ("mask", "grud"), ("mask", "bigru")])
def test_a_table_with_holes_trains_and_predicts_the_same_by_every_door(holes, tmp_path, way, cell):
    workspace = Workspace(holes, tmp_path)
    run(workspace, configured(cell, data={"missing": way}, monitor="days/loss"), "prepare", "train", "evaluate", "generate")
    found = figures(workspace)
    assert found["val/best_days/loss"] == pytest.approx(found["best/val_days/loss"], rel=1e-4)
    kept = pd.read_csv(workspace.samples / "predictions.csv", index_col="sequence")
    predict(holes / "data" / "raw" / "patients.csv", tmp_path / "out.csv", str(workspace.model), None, None)
    again = pd.read_csv(tmp_path / "out.csv", index_col="sequence").loc[kept.index]
    pd.testing.assert_frame_equal(again, kept, rtol=1e-4)
    truth = pd.read_csv(holes / "data" / "raw" / "patients.csv").groupby("id").last().loc[kept.index]
    assert ((kept["days"] - truth["days"]) ** 2).mean() == pytest.approx(found["test/days/mse"], rel=1e-3)


def test_a_patient_can_be_read_step_by_step_through_holes(holes, tmp_path):
    workspace = Workspace(holes, tmp_path)
    run(workspace, configured("gru", data={"missing": "mask"}, monitor="days/loss"), "prepare", "train")
    model = load(workspace.model)
    x = np.array([[0.5, np.nan], [np.nan, np.nan], [1.5, 4.0]])
    facts = {"age": [np.nan], "ward": ["a"]}
    whole = model.predict([{"x": x, "state": [["rest"]] * 3, **facts}])["days"][0]
    memory = model.memory(1)
    for step in x:
        last = model.step({"x": step[None], "state": [["rest"]], "age": [facts["age"]], "ward": [facts["ward"]]}, memory)
    np.testing.assert_allclose(last["days"][0], whole, rtol=1e-9)
    as_json = [[None if np.isnan(value) else value for value in row] for row in x]
    np.testing.assert_array_equal(model.predict([{"x": as_json, "state": [["rest"]] * 3, **facts}])["days"][0], whole)
    assert refusal(lambda: model.predict([{"x": x * np.inf, "state": [["rest"]] * 3, **facts}]))[0] == "bad-number"


def test_holes_are_refused_unless_they_are_dealt_with(holes, tmp_path):
    workspace = Workspace(holes, tmp_path)
    code, where = refusal(lambda: run(workspace, configured("gru", monitor="days/loss"), "prepare"))
    assert code == "missing-number" and "patients.csv" in where and "column" in where


def test_a_column_that_is_never_known_is_refused(tmp_path):
    file = tmp_path / "data" / "raw" / "patients.csv"
    patients(file)
    pd.read_csv(file).assign(pressure=np.nan).to_csv(file, index=False)
    config = configured("gru", data={"missing": "mask"}, monitor="days/loss")
    assert refusal(lambda: run(Workspace(tmp_path, tmp_path), config, "prepare")) == (
        "empty", "data.inputs.x, column 'pressure'")


@pytest.mark.parametrize(("way", "cell"), [*((way, "gru") for way in WAYS), ("mask", "grud")])
def test_a_series_with_holes_is_forecast(tmp_path, way, cell):
    hours = np.arange(400)
    draw = np.random.default_rng(1)
    table = pd.DataFrame({"hour": hours, "load": 10 + np.sin(hours / 6 * 2 * np.pi) + 0.1 * draw.standard_normal(400),
                          "heat": 100 + np.cos(hours / 6 * 2 * np.pi) + 0.1 * draw.standard_normal(400)})
    table = hide(table, {"load": 0.2, "heat": 0.2})
    table.loc[200:206, ["load", "heat"]] = np.nan
    (tmp_path / "data" / "raw").mkdir(parents=True)
    table.to_csv(tmp_path / "data" / "raw" / "load.csv", index=False)
    workspace = Workspace(tmp_path, tmp_path)
    model = {"inputs": {"x": {"kind": "real", "size": None, "dropout": 0.0}}, "heads": QUANTILES}
    run(workspace, configured(cell, data=SERIES | {"missing": way}, model=model, monitor="loss"), "prepare", "train",
        "evaluate", "generate")
    found = figures(workspace)
    spec = open_prepared(workspace.prepared).spec
    assert spec.inputs["x"].missing == way
    for batch in all_batches(WindowLayout(open_prepared(workspace.prepared).sequences("train"), 7, 1)):
        assert batch.counts["x"] == pytest.approx((~np.isnan(batch.targets["x"])).sum() / (4 * 2))
    # by a second way: the table that `generate` wrote, and the user's file
    kept = pd.read_csv(workspace.samples / "predictions.csv")
    truth = table.set_index("hour").stack(future_stack=True)
    truth = truth.reindex(pd.MultiIndex.from_arrays([kept["origin"] + kept["step"] - 1, kept["variable"]])).to_numpy()
    assert found["test/mae"] == pytest.approx(np.nanmean(np.abs(truth - kept["x"])), rel=1e-4)
    assert np.isfinite(kept[["x", "q0.1", "q0.9"]]).all().all()
    assert found["test/mae"] < 1.0 and found["baseline/seasonal_naive_mae"] < 1.0
    predict(tmp_path / "data" / "raw" / "load.csv", tmp_path / "out.csv", str(workspace.model), None, None)
    assert pd.read_csv(tmp_path / "out.csv").query("variable == 'load'")["x"].between(8, 12).all()
