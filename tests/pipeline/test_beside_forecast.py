"""Targets of each step beside a forecast: its edge is its own, and each step of a split counts once."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from pydantic import ValidationError
from torch.nn.functional import binary_cross_entropy_with_logits

from tests.conftest import run, tiny
from tests.data.conftest import table
from tests.sources.test_table import FORECAST
from unroll.base.workspace import Workspace
from unroll.commands.predict import predict
from unroll.config.schema import Config
from unroll.data.batches import all_batches
from unroll.data.fields import IGNORED
from unroll.data.store import open_prepared
from unroll.data.windows import WindowLayout
from unroll.models.folder import load_model
from unroll.prediction.paths import sample_paths
from unroll.prediction.predictor import load
from unroll.stages.prepare import summary

COLUMNS = {"x": ["level"], "way": ["way"], "growth": ["growth"]}
TARGETS = {"x": "forecast", "way": "tag", "growth": "values"}
DATA = {
    "time_zone": None, "frequency": None, "gaps": "ignore",
    "kind": "table", "path": "data/raw/levels.csv", "delimiter": ",", "decimal": ".", "encoding": "utf-8",
    "header": True, "skip": 0, "comment": None, "units": False, "thousands": None, "sheet": None, "wide": None, "columns": COLUMNS, "series": "id", "time": "day", "time_format": None, "tokenizer": None,
    "inputs": {"x": "real"}, "targets": TARGETS, "scale": "standard", "missing": "refuse", "na_values": [], "min_length": None,
    "forecast": {"horizon": 3, "context": 5, "season": 1, "log": False, "start": "season", "window": "none", "stride": 1,
                 "eval_stride": 1, "eval_windows": None}, "validation": 0.2, "test": 0.2,
    "seed": 1, "licence": "none",
}
HEADS = {
    "x": {"kind": "forecast", "loss": "quantile", "levels": [0.1, 0.5, 0.9], "calibration": "conformal", "decoder": None, "pooling": "last", "dropout": 0.0},
    "way": {"kind": "classification", "loss": "cross_entropy", "pooling": None, "dropout": 0.0},
    "growth": {"kind": "regression", "loss": "squared_error", "pooling": None, "dropout": 0.0},
}
DAYS = 60


def rows() -> pd.DataFrame:
    """`way` and `growth` follow from a day and the one before it; a few of them are unknown."""
    draw, made = np.random.default_rng(0), []
    for number in range(4):
        level = np.cumsum(draw.standard_normal(DAYS + 1)).round(3)
        for day in range(DAYS):
            growth = level[day + 1] - level[day]
            made.append({"id": f"s{number}", "day": day, "level": level[day + 1],
                         "way": "" if day % 7 == 3 else "up" if growth > 0 else "down",
                         "growth": "" if day % 5 == 2 else round(growth, 3)})
    return pd.DataFrame(made)


def done_with(folder: Path, targets: dict[str, str], epochs: int) -> Workspace:
    (folder / "data" / "raw").mkdir(parents=True)
    rows().to_csv(folder / "data" / "raw" / "levels.csv", index=False)
    values: dict[str, Any] = tiny("model=gru", "model.core.hidden_size=16", "train.max_steps=null",
                                  "train.learning_rate=0.02", "runtime.tracking.enabled=false").model_dump(mode="json")
    values["data"] = {**DATA, "targets": targets, "columns": {name: COLUMNS[name] for name in targets}}
    values["model"] |= {"inputs": {"x": {"kind": "real", "size": None, "dropout": 0.0}},
                        "heads": {name: HEADS[name] for name in targets}}
    values["train"] |= {"monitor": "x/loss", "epochs": epochs}
    workspace = Workspace(folder, folder)
    run(workspace, Config.model_validate(values), "prepare", "train", "evaluate", "generate")
    return workspace


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return done_with(tmp_path_factory.mktemp("levels"), TARGETS, 30)


def figures(workspace: Workspace) -> dict[str, float]:
    found: dict[str, float] = json.loads((workspace.metrics / "test.json").read_text())
    return found


def test_what_follows_from_the_step_just_read_is_learnt(done):
    found = figures(done)
    assert found["test/way/accuracy"] > 0.95 > found["baseline/way/majority_accuracy"]
    assert found["test/growth/r2"] > 0.95


def test_a_forecast_has_the_windows_that_it_has_alone(done, tmp_path):
    alone, beside = figures(done_with(tmp_path, {"x": "forecast"}, 1)), figures(done)
    for method in ("naive", "drift"):
        assert beside[f"baseline/x/{method}_mase"] == alone[f"baseline/{method}_mase"]


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_each_step_of_a_split_counts_once(done, split):
    prepared = open_prepared(done.prepared)
    data = prepared.sequences(split)
    layout = WindowLayout(data, 7, None)
    counts = [layout.counts(index) for index in range(len(layout))]
    own = {"train": DAYS * 6 // 10 - 5, "validation": DAYS // 5, "test": DAYS // 5}[split]     # 6 steps before each
    days = {"train": range(5, 36), "validation": range(36, 48), "test": range(48, 60)}[split]
    assert len(days) == own
    expected = {"x": 4 * (len(days) - (2 if split != "train" else 3)),
                "way": 4 * sum(day % 7 != 3 for day in days), "growth": 4 * sum(day % 5 != 2 for day in days)}
    assert {name: sum(each[name] for each in counts) for name in TARGETS} == expected
    known = dict.fromkeys(TARGETS, 0)
    for index, batch in enumerate(all_batches(layout)):
        found = {"x": int((~np.isnan(batch.targets["x"]).all(axis=(1, 2))).sum()),
                 "way": int((batch.targets["way"] != IGNORED).sum()),
                 "growth": int((~np.isnan(batch.targets["growth"])).sum())}
        assert found == counts[index]
        parts = [layout.batch(index, 0, rank, 2) for rank in range(2)]
        for name, axis in (("x", 0), ("way", 1), ("growth", 1)):
            joined = np.concatenate([part.targets[name] for part in parts], axis=axis)
            np.testing.assert_array_equal(joined, batch.targets[name])
        known = {name: known[name] + found[name] for name in known}
    assert known == expected


def test_the_loss_is_that_of_every_step_by_hand(done):
    prepared, network = open_prepared(done.prepared), load_model(done.model).network
    data = prepared.sequences("test")
    offsets, level = prepared.offsets("test"), prepared.values("x", "test")
    up = prepared.spec.targets["way"].classes.index("up")
    way, known = prepared.values("way", "test"), prepared.holes("way", "test").known
    losses = []
    for first, last in zip(offsets[:-1], offsets[1:], strict=True):     # noqa: RUF007
        for row in range(first + 6, last):
            if known[row]:
                read = torch.from_numpy(data.frame.encode(level[row - 5 : row + 1, None]))
                with torch.no_grad():
                    outputs, _ = network({"x": read})
                truth = torch.tensor(float(way[row] == up))
                losses.append(float(binary_cross_entropy_with_logits(outputs["way"][-1, 0, 0], truth)))
    assert figures(done)["test/way/loss"] == pytest.approx(np.mean(losses), rel=1e-4)


def test_a_table_has_the_last_step_before_those_ahead(done, tmp_path):
    file = done.root / "data" / "raw" / "levels.csv"
    predict(file, tmp_path / "out.csv", str(done.model), None, None)
    table = pd.read_csv(tmp_path / "out.csv")
    assert table["step"].tolist() == [0, 1, 2, 3] * 4
    assert table["time"].tolist() == [59, 60, 61, 62] * 4
    assert table["x"].isna().tolist() == [True, False, False, False] * 4
    assert table["way"].notna().tolist() == [True, False, False, False] * 4
    last = rows().groupby("id").last()
    assert (np.sign(last["growth"].astype(float)) == np.sign(table["growth"][::4].to_numpy())).mean() >= 0.75
    # of the test split, from every origin
    kept = pd.read_csv(done.samples / "predictions.csv")
    named = kept[kept["step"] == 0].merge(rows().assign(origin=lambda made: made["day"] + 1),
                                          left_on=["sequence", "origin"], right_on=["id", "origin"])
    known = named["way_y"] != ""
    assert (named["way_x"] == named["way_y"])[known].mean() > 0.9
    assert (done.samples / "paths.csv").is_file()


def test_prepare_says_how_much_of_the_splits_own_steps_is_known(done):
    lines = [*summary(open_prepared(done.prepared))]
    known = {"train": sum(day % 7 != 3 for day in range(36)), "test": sum(day % 7 != 3 for day in range(48, 60))}
    (way,) = (line for line in lines if line.startswith("way: classes"))
    assert f"{4 * known['train']} of {4 * 36} known in train" in way
    assert f"{4 * known['test']} of {4 * 12} known in test" in way


def test_what_has_no_value_is_null_in_json(done, tmp_path):
    predict(done.root / "data" / "raw" / "levels.csv", tmp_path / "out.jsonl", str(done.model), None, None)
    rows = [json.loads(line, parse_constant=pytest.fail) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [row["x"] is None for row in rows] == [True, False, False, False] * 4


def test_python_gives_both(done):
    predictor = load(done.model)
    series = np.cumsum(np.ones(20))[:, None]
    found = predictor.predict_all([series])
    assert {name: values[0].shape for name, values in found.items()} == {
        "x": (3, 1, 3), "way": (1, 2), "growth": (1, 1)}
    assert sample_paths(predictor, series, 4, 7, seed=1).shape == (4, 7, 1)


def test_a_class_of_a_series_is_refused():
    with pytest.raises(ValidationError, match="cut in time"):
        table({"x": "real"}, {"x": "forecast", "label": "class"}, FORECAST)
