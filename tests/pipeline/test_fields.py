"""A table of patients from its source to a served model: steps, facts, a class and a number, each known in part."""

import json
import sys
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest

from tests.conftest import run, tiny
from tests.prediction.test_requests import asking
from unroll.base.workspace import Workspace
from unroll.commands.predict import predict
from unroll.config.schema import Config
from unroll.evaluation.comparison import read_comparisons
from unroll.prediction.predictor import load
from unroll.tracking.models import write_model

COLUMNS = {"x": ["pulse", "pressure"], "state": ["state"], "age": ["age"], "ward": ["ward"], "outcome": ["outcome"],
           "days": ["days"]}
DATA = {
    "time_zone": None, "frequency": None, "gaps": "ignore",
    "kind": "table", "path": "data/raw/patients.csv", "delimiter": ",", "decimal": ".", "encoding": "utf-8",
    "header": True, "skip": 0, "comment": None, "units": False, "thousands": None, "sheet": None, "wide": None, "columns": COLUMNS, "series": "id", "time": "hour", "time_format": None, "tokenizer": None,
    "inputs": {"x": "real", "state": "categories", "age": "static_real", "ward": "static_categories"},
    "targets": {"outcome": "class", "days": "value"}, "scale": "standard", "missing": "refuse", "na_values": [], "min_length": None, "forecast": None, "validation": 0.2,
    "test": 0.2, "seed": 1, "licence": "none",
}
MODEL = {
    "inputs": {"x": {"kind": "real", "size": None, "dropout": 0.0},
               "state": {"kind": "category", "size": 2, "dropout": 0.0},
               "age": {"kind": "static", "size": 4, "dropout": 0.0, "joins": "start"},
               "ward": {"kind": "static_category", "size": 2, "dropout": 0.0, "joins": "steps"}},
    "heads": {"outcome": {"kind": "classification", "loss": "cross_entropy", "pooling": "last", "dropout": 0.0},
              "days": {"kind": "regression", "loss": "squared_error", "pooling": "last", "dropout": 0.0}},
}


def patients(file: Path) -> None:
    draw = np.random.default_rng(0)
    rows = []
    for number in range(80):
        age, ward, steps = int(draw.integers(20, 90)), draw.choice(["a", "b"]), int(draw.integers(3, 9))
        pulse = np.cumsum(draw.standard_normal(steps))
        outcome = "" if number % 3 == 0 else "up" if pulse[-1] > 0 else "down"
        days = "" if number % 4 == 0 else f"{age / 10 + steps:.2f}"
        rows += [{"id": f"p{number}", "hour": hour, "pulse": round(pulse[hour], 3), "pressure": steps,
                  "state": draw.choice(["rest", "walk"]), "age": age, "ward": ward, "outcome": outcome, "days": days}
                 for hour in range(steps)]
    file.parent.mkdir(parents=True)
    pd.DataFrame(rows).to_csv(file, index=False)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    folder = tmp_path_factory.mktemp("patients")
    patients(folder / "data" / "raw" / "patients.csv")
    values: dict[str, Any] = tiny("model=gru", "model.core.hidden_size=8", "train.epochs=40", "train.max_steps=null",
                                  "train.learning_rate=0.02", "runtime.tracking.enabled=false").model_dump(mode="json")
    values["data"] = DATA
    values["model"] |= MODEL
    values["train"] |= {"weights": {"days": 0.5}, "monitor": "days/loss"}
    workspace = Workspace(folder, folder)
    run(workspace, Config.model_validate(values), "prepare", "train", "evaluate", "generate")
    return workspace


def figures(workspace: Workspace) -> dict[str, float]:
    return {name: value for stage in ("train", "test", "generate")
            for name, value in json.loads((workspace.metrics / f"{stage}.json").read_text()).items()}


def test_every_target_has_its_figures_and_pictures(done):
    found = figures(done)
    for measure in ("outcome/accuracy", "outcome/balanced_accuracy", "outcome/macro_f1", "outcome/loss", "days/loss"):
        assert found[f"best/val_{measure}"] == pytest.approx(found[f"val/best_{measure}"], rel=1e-4)
        assert f"test/{measure}" in found
    assert {"test/outcome/recall/up", "test/outcome/recall/down"} <= set(found)
    assert found["val/best_loss"] == pytest.approx(found["val/best_outcome/loss"] + 0.5 * found["val/best_days/loss"])
    assert found["test/days/mse"] < found["baseline/days/mean_mse"]
    comparisons = read_comparisons(done.comparison)
    assert {name: comparison.measure for name, comparison in comparisons.items()} == {"days": "mse", "outcome": "accuracy"}
    drawn = {file.relative_to(done.plots / "test").as_posix() for file in (done.plots / "test").rglob("*.png")}
    assert drawn == {"curves.png", "days/baselines.png", "days/against.png", "outcome/baselines.png",
                     "outcome/confusion.png", "outcome/recall.png"}


def test_the_figures_of_the_test_split_are_those_of_its_predictions(done):
    """By a second way: the table that `generate` wrote, and the file that the user has."""
    table = pd.read_csv(done.samples / "predictions.csv", index_col="sequence")
    truth = pd.read_csv(done.root / "data" / "raw" / "patients.csv").groupby("id").last().loc[table.index]
    known = truth["outcome"].notna()
    assert 0 < known.sum() < len(table)
    found = figures(done)
    assert (table["outcome"] == truth["outcome"])[known].mean() == pytest.approx(found["test/outcome/accuracy"], abs=1e-6)
    assert ((table["days"] - truth["days"]) ** 2).mean() == pytest.approx(found["test/days/mse"], rel=1e-3)
    likelihood = np.where(truth["outcome"] == "up", table["outcome_p_up"], table["outcome_p_down"])[known]
    assert -np.log(likelihood).mean() == pytest.approx(found["test/outcome/loss"], rel=1e-3)


def test_the_same_table_predicts_the_same_by_command_in_python_and_in_mlflow(done, tmp_path, monkeypatch):
    file = done.root / "data" / "raw" / "patients.csv"
    predict(file, tmp_path / "out.csv", str(done.model), None, None)
    by_command = pd.read_csv(tmp_path / "out.csv", index_col="sequence")
    kept = pd.read_csv(done.samples / "predictions.csv", index_col="sequence")
    pd.testing.assert_frame_equal(by_command.loc[kept.index], kept, rtol=1e-4)

    rows = pd.read_csv(file).groupby("id", sort=False)
    given = [{"x": group[["pulse", "pressure"]].to_numpy(), "state": group[["state"]].to_numpy(str),
              "age": [group["age"].iloc[0]], "ward": [group["ward"].iloc[0]]} for _, group in rows]
    in_python = load(done.model).predict(given)
    np.testing.assert_allclose([value[0] for value in in_python["days"]], by_command["days"], rtol=1e-4)

    monkeypatch.setattr(sys, "path", list(sys.path))
    write_model(tmp_path / "logged", done.model, "", "m-1")
    served = mlflow.pyfunc.load_model(str(tmp_path / "logged")).predict(pd.DataFrame(given[:3]))
    np.testing.assert_allclose(served["days"], by_command["days"][:3], rtol=1e-4)
    assert served["outcome"].tolist() == by_command["outcome"][:3].tolist()


def test_categories_that_training_did_not_have_are_counted(done, tmp_path, capsys):
    table = pd.read_csv(done.root / "data" / "raw" / "patients.csv")
    table.loc[table["id"].isin(["p3", "p5"]), "ward"] = "z"
    table.loc[3, "state"] = "runs"
    table.to_csv(tmp_path / "new.csv", index=False)
    predict(tmp_path / "new.csv", tmp_path / "out.csv", str(done.model), None, None)
    said = capsys.readouterr().out
    assert "state: 1 of" in said and "ward: 2 of 80" in said and "('z')" in said


def test_a_served_model_says_what_a_request_has(done, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    write_model(tmp_path / "logged", done.model, "", "m-1")
    ask = asking(tmp_path / "logged")
    record = {"x": [[1, 2], [3, 4.5]], "state": ["walk", "rest"], "age": [50], "ward": ["a"]}
    status, rows = ask({"dataframe_records": [record]})
    assert status == 200 and {"outcome", "days"} <= rows[0].keys()
    for body in ({"inputs": [[1, 2]]}, {"dataframe_records": [{"x": [[1, 2]]}]}):
        status, said = ask(body)
        assert status == 400
        assert all(f'"{name}": …' in said["message"] for name in record), said
