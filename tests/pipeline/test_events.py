"""Events and uneven times, from the source to predictions."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.conftest import run, tiny
from tests.pipeline.test_fields import DATA as TABLE
from tests.refusals import refusal
from unroll.base.workspace import Workspace
from unroll.commands.predict import predict
from unroll.config.schema import Config
from unroll.data.source import SPLITS
from unroll.data.store import open_prepared
from unroll.prediction.inputs import read
from unroll.prediction.predictor import load

DATA = {
    "kind": "events", "path": "data/raw/events.csv", "outcomes": "data/raw/patients.csv", "delimiter": ",",
    "decimal": ".", "encoding": "utf-8", "header": True, "skip": 0, "comment": None, "units": False, "thousands": None, "sheet": None,
    "series": "id", "time": "day", "time_format": None, "channel": "test", "value": "value", "bin": None,
    "columns": {"x": ["hdl", "chol"], "age": ["age"], "died": ["died"], "days": ["days"]},
    "inputs": {"x": "real", "since": "gap", "age": "static_real"}, "targets": {"died": "class", "days": "value"},
    "several": "mean", "until": 0, "group": None, "scale": "standard", "missing": "mask", "na_values": [],
    "test": 0.2, "validation": 0.2, "licence": "none", "seed": 1,
}
MODEL = {
    "inputs": {"x": {"kind": "real", "size": None, "dropout": 0.0}, "since": {"kind": "real", "size": None, "dropout": 0.0},
               "age": {"kind": "static", "size": 4, "dropout": 0.0, "joins": "start"}},
    "heads": {"died": {"kind": "classification", "loss": "cross_entropy", "pooling": "last", "dropout": 0.0},
              "days": {"kind": "regression", "loss": "squared_error", "pooling": "last", "dropout": 0.0}},
}


def configured(cell: str, data: dict[str, Any], model: dict[str, Any], **train: Any) -> Config:
    values: dict[str, Any] = tiny(f"model={cell}", "model.core.hidden_size=8", "train.epochs=4", "train.max_steps=null",
                                  "train.learning_rate=0.02", "runtime.tracking.enabled=false").model_dump(mode="json")
    values["data"] = data
    values["model"] |= model
    values["train"] |= {"weights": {}} | train
    return Config.model_validate(values)


@pytest.fixture(scope="module")
def hospital(tmp_path_factory):
    """Patients measured now and then, some not before day 0; of some it is not known whether they died."""
    folder = tmp_path_factory.mktemp("hospital")
    (folder / "data" / "raw").mkdir(parents=True)
    draw, events, patients = np.random.default_rng(0), [], []
    for number in range(90):
        level, count = draw.normal(), draw.integers(0, 7)
        for day in (*draw.integers(-500, 1, count), *draw.integers(1, 9, 2)):
            events.append((f"p{number}", day, draw.choice(["hdl", "chol", "sbp"]), level + 0.1 * draw.normal()))
        died = "" if number % 7 == 0 else "yes" if level > 0 else "no"
        patients.append((f"p{number}", draw.integers(20, 90), died, "" if number % 5 == 0 else f"{level:.3f}"))
    table = pd.DataFrame(events, columns=["id", "day", "test", "value"]).sample(frac=1, random_state=1)
    table.to_csv(folder / "data" / "raw" / "events.csv", index=False)
    pd.DataFrame(patients, columns=["id", "age", "died", "days"]).to_csv(folder / "data" / "raw" / "patients.csv", index=False)
    return folder


@pytest.mark.parametrize("cell", ["gru", "grud"])
def test_events_train_and_predict_the_same_by_every_door(hospital, tmp_path, cell):
    workspace = Workspace(hospital, tmp_path)
    run(workspace, configured(cell, DATA, MODEL, monitor="days/loss"), "prepare", "train", "evaluate", "generate")
    kept = pd.read_csv(workspace.samples / "predictions.csv", index_col="sequence")
    raw = hospital / "data" / "raw"
    predict(raw / "events.csv", tmp_path / "out.csv", str(workspace.model), None, None, outcomes=raw / "patients.csv")
    again = pd.read_csv(tmp_path / "out.csv", index_col="sequence")
    assert len(again) == 90, "those without events, too"
    pd.testing.assert_frame_equal(again.loc[kept.index], kept, rtol=1e-4)
    found = json.loads((workspace.metrics / "test.json").read_text())
    assert 0.5 < found["test/died/auroc"] <= 1 and 0 < found["test/died/auprc"] <= 1
    truth = pd.read_csv(raw / "patients.csv", index_col="id").loc[kept.index]
    assert ((kept["days"] - truth["days"]) ** 2).mean() == pytest.approx(found["test/days/mse"], rel=1e-3)


def test_what_predict_reads_is_what_was_prepared(hospital, tmp_path):
    workspace = Workspace(hospital, tmp_path)
    run(workspace, configured("gru", DATA, MODEL, monitor="days/loss"), "prepare")
    prepared = open_prepared(workspace.prepared)
    raw = hospital / "data" / "raw"
    inputs = read(raw / "events.csv", prepared.spec, outcomes=raw / "patients.csv")
    by_name = dict(zip(inputs.names, inputs.sequences, strict=True))
    for split in SPLITS:
        offsets, x, since = prepared.offsets(split), prepared.raw("x", split), prepared.raw("since", split)
        for at, place in enumerate(prepared.places(split)):
            own = by_name[place.name]
            np.testing.assert_allclose(own["x"], x[offsets[at] : offsets[at + 1]], rtol=1e-6)
            np.testing.assert_allclose(own["since"], since[offsets[at] : offsets[at + 1]], rtol=1e-6)
    x, since = prepared.sequences("train").inputs["x"], prepared.sequences("train").inputs["since"]
    rows = np.arange(len(since.values))
    shown = since.at(rows, rows >= 0)
    assert abs(shown.mean()) < 0.01 and np.isfinite(shown).all() and np.isnan(x.at(rows, rows >= 0)).any()


def test_predict_refuses_events_that_it_cannot_read(hospital, tmp_path):
    workspace = Workspace(hospital, tmp_path)
    run(workspace, configured("gru", DATA, MODEL, monitor="days/loss"), "prepare")
    spec, patients = open_prepared(workspace.prepared).spec, hospital / "data" / "raw" / "patients.csv"
    file = tmp_path / "new.csv"
    file.write_text("id,day,test,value\np1,-3,hdl,1\np1,-2,hdlc,1\n")
    assert refusal(lambda: read(file, spec, outcomes=patients)) == ("unknown-name", f"{file}, row 3, column 'test'")
    file.write_text("id,day,test,value\np1,-3,hdl,1\np1,2,hospice,1\np1,-2,sbp,1\n")
    assert len(read(file, spec, outcomes=patients).names) == 90, "what is later is not read, nor what training left out"
    assert refusal(lambda: read(file, spec)) == ("missing-value", "--outcomes")
    file.write_text("id,day,test,value\nnobody,-3,hdl,1\n")
    assert refusal(lambda: read(file, spec, outcomes=patients)) == ("unknown-name", f"{file}, row 2, column 'id'")


UNEVEN = TABLE | {
    "path": "data/raw/visits.csv", "columns": {"x": ["pulse"], "y": ["y"]}, "inputs": {"x": "real", "since": "gap"},
    "targets": {"y": "value"}, "time": "at",
}
VISITS = {"inputs": {name: {"kind": "real", "size": None, "dropout": 0.0} for name in ("x", "since")},
          "heads": {"y": {"kind": "regression", "loss": "squared_error", "pooling": "last", "dropout": 0.0}}}


def test_rows_of_a_table_may_be_at_uneven_times(tmp_path):
    workspace, draw, rows = Workspace(tmp_path, tmp_path), np.random.default_rng(0), []
    (tmp_path / "data" / "raw").mkdir(parents=True)
    for number in range(120):
        gaps = draw.exponential([5000, 500_000][number % 2], draw.integers(3, 9))
        times = pd.Timestamp("2020-01-01") + pd.to_timedelta(gaps.cumsum().round() + np.arange(len(gaps)) + 1, unit="s")
        rows += [(f"p{number}", time, draw.normal(), number % 2) for time in times]
    pd.DataFrame(rows, columns=["id", "at", "pulse", "y"]).to_csv(tmp_path / "data" / "raw" / "visits.csv", index=False)
    run(workspace, configured("gru", UNEVEN, VISITS, epochs=10), "prepare", "train", "evaluate", "generate")
    spec = open_prepared(workspace.prepared).spec
    assert (spec.main, spec.inputs["since"].gap, spec.inputs["since"].scale.log) == ("x", True, True)
    assert json.loads((workspace.metrics / "test.json").read_text())["test/r2"] > 0.9, "which the times alone tell"
    kept = pd.read_csv(workspace.samples / "predictions.csv", index_col="sequence")
    predict(tmp_path / "data" / "raw" / "visits.csv", tmp_path / "out.csv", str(workspace.model), None, None)
    again = pd.read_csv(tmp_path / "out.csv", index_col="sequence").loc[kept.index]
    pd.testing.assert_frame_equal(again, kept, rtol=1e-4)
    model = load(workspace.model)
    own = {"x": [[1.0], [2.0]], "since": [[None], [3600.0]]}
    whole, memory = model.predict([own])[0], model.memory(1)
    for x, since in zip(own["x"], own["since"], strict=True):
        last = model.step({"x": [x], "since": [since]}, memory)
    np.testing.assert_allclose(last[0], whole, rtol=1e-6)
    assert refusal(lambda: model.step({"x": [[1.0]], "since": [[-1.0]]}, memory)) == ("out-of-range", "step, lane 1")
    assert refusal(lambda: model.predict([own | {"since": [[None], [0.0]]}])) == (
        "out-of-range", "sequence 1, since, step 2")
