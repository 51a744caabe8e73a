"""Tables with holes in their inputs, from the source to predictions, for each way to deal with them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from tests.conftest import run, tiny
from tests.pipeline.test_fields import DATA, MODEL, patients
from tests.refusals import refusal
from unroll.base.workspace import Workspace
from unroll.commands.predict import predict
from unroll.config.schema import Config
from unroll.data.batches import ItemLayout, StreamLayout, all_batches
from unroll.data.frame import Frame
from unroll.data.spec import ForecastSpec
from unroll.data.store import open_prepared
from unroll.data.windows import WindowLayout
from unroll.prediction.predictor import load

WAYS = ["mask", "forward", "mean", "interpolate"]
QUANTILES = {"x": {"kind": "forecast", "loss": "quantile", "levels": [0.1, 0.5, 0.9], "calibration": "conformal", "decoder": None, "pooling": "last", "dropout": 0.0}}
SERIES = {
    "path": "data/raw/load.csv", "columns": {"x": ["load", "heat"]}, "series": None, "time": "hour", "inputs": {"x": "real"},
    "targets": {"x": "forecast"}, "forecast": {"horizon": 4, "context": 12, "season": 6, "log": False, "start": "season", "window": "none", "stride": 1,
                                               "eval_stride": 1, "eval_windows": None},
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


@pytest.mark.parametrize("series", [None, "id"])
def test_a_next_step_stands_beside_a_target_of_each_step(tmp_path, series):
    """Of chunks whose sequences end before a step ahead; counts are those of the targets that batches show."""
    draw = np.random.default_rng(2)
    rows = [{"id": f"s{number}", "x": draw.standard_normal() if draw.random() < 0.8 else np.nan, "y": draw.standard_normal()}
            for number in range(40) for _ in range(5 + number % 7)]
    (tmp_path / "data" / "raw").mkdir(parents=True)
    pd.DataFrame(rows).to_csv(tmp_path / "data" / "raw" / "patients.csv", index=False)
    model = {"inputs": {"x": {"kind": "real", "size": None, "dropout": 0.0}},
             "heads": {name: {"kind": "regression", "loss": "squared_error", "pooling": None, "dropout": 0.0} for name in "xy"}}
    data = {"columns": {"x": ["x"], "y": ["y"]}, "inputs": {"x": "real"}, "targets": {"x": "next", "y": "values"},
            "series": series, "time": None, "missing": "forward"}
    workspace = Workspace(tmp_path, tmp_path)
    run(workspace, configured("gru", data=data, model=model, monitor="loss", bptt=4, batch_size=4), "prepare", "train")
    for split in ("train", "test"):
        sequences = open_prepared(workspace.prepared).sequences(split)
        for lanes in (1, 3, 7):
            layout = StreamLayout(sequences, lanes, 4) if series is None else ItemLayout(sequences, lanes, None, 4)
            for batch in all_batches(layout):
                assert batch.counts == {name: (~np.isnan(target)).sum() for name, target in batch.targets.items()}


def test_numbers_without_a_scale_have_no_mean_to_be_read(holes):
    with pytest.raises(ValidationError, match="scale"):
        configured("gru", data={"missing": "mean", "scale": "none"}, monitor="days/loss")


def test_windows_that_are_filled_with_their_mean_are_scaled_as_they_are_read():
    draw = np.random.default_rng(3)
    values = np.arange(2000) * 0.5 + 10 * np.sin(np.arange(2000) / 24 * 2 * np.pi) + draw.standard_normal(2000)
    values[draw.random(2000) < 0.1] = np.nan
    spec = ForecastSpec(horizon=6, context=48, season=24, log=False, stride=1)
    for way in WAYS:
        frame = Frame.fit(spec, [values[:, None]], way)
        windows = np.stack([values[first : first + frame.rows, None] for first in range(0, 1900, 7)], axis=1)
        read = frame.encode(windows).reshape(-1, 2)
        np.testing.assert_allclose(np.nanstd(read, axis=0), 1, atol=0.25)
