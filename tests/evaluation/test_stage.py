"""Every task from its source to its figures: prepared, trained for a few steps, measured."""

import csv
import hashlib
import importlib.metadata
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import savemat

from tests.conftest import REPOSITORY, run, snapshot, tiny
from unroll.base.workspace import Workspace
from unroll.compose import compose
from unroll.config.schema import Config
from unroll.data.store import open_prepared
from unroll.evaluation.comparison import read_comparisons
from unroll.models.folder import load_model

SHORT = ["train.epochs=2", "train.max_steps=6", "train.threads=1", "train.log_steps=2", "model.core.hidden_size=6",
         "evaluate.lanes=8", "evaluate.train_tokens=500", "evaluate.dtw_cells=1", "runtime.progress=false", "runtime.tracking.enabled=false"]
VERSIONS = {name: importlib.metadata.version(name) for name in ("filelock", "pooch")}
TASKS: dict[str, list[str]] = {
    "gunpoint": [],
    "basic_motions": [],
    "covid": [],
    "airline": [],
    "jsb": ["model.inputs.x.size=4"],
    "mackey_glass": ["data.steps=600", "train.batch_size=4"],
    "signals": ["data.steps=2000"],
    "code": ["data.package=pooch", f"data.version={VERSIONS['pooch']}", "data.longest=6000"],
    "docstrings": ["~data.packages", "+data.packages={" + ", ".join(f"{name}: {VERSIONS[name]}" for name in VERSIONS) + "}"],
}
MEASURES = {"gunpoint": "accuracy", "basic_motions": "accuracy", "covid": "mse", "airline": "mase", "jsb": "nll",
            "mackey_glass": "mse", "signals": "accuracy", "code": "accuracy", "docstrings": "accuracy"}
OWN_PICTURE = {"accuracy": "confusion.png", "mse": "against.png", "mase": "fan.png", "nll": "roll.png"}


def music(folder: Path) -> list[str]:
    """Twelve short pieces in the file format of the published ones."""
    draw = np.random.default_rng(0)
    file = folder / "music.mat"
    cells = {}
    for name, count in (("traindata", 6), ("validdata", 3), ("testdata", 3)):
        cells[name] = np.empty((1, count), object)
        for at in range(count):
            cells[name][0, at] = (draw.random((5 + at, 88)) < 0.05).astype(float)
    savemat(file, cells)
    return [f"data.url={file.as_uri()}", f"data.sha256={hashlib.sha256(file.read_bytes()).hexdigest()}"]


def configured(name: str, folder: Path, *more: str) -> Config:
    own = music(folder) if name == "jsb" else []
    return compose(REPOSITORY / "conf", [f"experiment={name}", *SHORT, *TASKS[name], *own, *more])[1]


def made(name: str, folder: Path, *more: str) -> Workspace:
    workspace = Workspace(folder, folder)
    run(workspace, configured(name, folder, *more), "prepare", "train", "evaluate")
    return workspace


def figures(workspace: Workspace) -> dict[str, float]:
    return {name: value for file in ("train", "test")
            for name, value in json.loads((workspace.metrics / f"{file}.json").read_text()).items()}


@pytest.mark.parametrize("name", TASKS)
def test_a_task_has_its_figures_and_pictures(name, tmp_path):
    if configured(name, tmp_path).data.kind == "aeon":
        pytest.importorskip("aeon")
    workspace = made(name, tmp_path)
    found = figures(workspace)
    measure = MEASURES[name]
    assert all(math.isfinite(value) for value in found.values())
    (comparison,) = read_comparisons(workspace.comparison).values()
    assert (comparison.measure, comparison.model) == (measure, found[f"test/{measure}"])
    assert comparison.baselines == {
        each.removeprefix("baseline/").removesuffix(f"_{measure}"): value for each, value in found.items()
        if each.startswith("baseline/") and each.endswith(f"_{measure}") and not each.endswith("_balanced_accuracy")}
    assert comparison.baselines
    about = (workspace.card / "README.md").read_text()
    assert f"Test split: {comparison.model:.4f} {comparison.unit}." in about
    pictures = {file.name for file in (workspace.plots / "test").iterdir()}
    assert {"curves.png", "baselines.png", OWN_PICTURE[measure]} <= pictures
    # of text alone a loss has a number of bits
    with (workspace.plots / "validation.csv").open(newline="") as file:
        assert next(csv.reader(file))[:2] == ["step", "loss"]
    assert not any("bpc" in each for each in found)
    model = load_model(workspace.model)
    assert model.spec == open_prepared(workspace.prepared).spec
    if model.spec.layout == "items":
        # each sequence from a fresh state: training's own validation says what the evaluation says
        own = {each.removeprefix("val/best_"): value for each, value in found.items() if each.startswith("val/best_")}
        assert "loss" in own
        assert {each: found[f"best/val_{each}"] for each in own} == pytest.approx(own, rel=1e-4)


@pytest.mark.parametrize("core", ["lstm", "mlp"])
def test_a_gradient_reaches_back_where_a_recurrence_carries_it(workspace, core):
    run(workspace, tiny(f"model={core}", *(["model.core.window=4"] if core == "mlp" else [])), "prepare", "train",
        "evaluate")
    pictures = {file.name for file in (workspace.plots / "test").iterdir()}
    reaches = core == "lstm"
    assert ("gradient/steps_above_1_percent" in figures(workspace)) == reaches
    assert ("gradient_reach.png" in pictures) == ("gradient_reach.csv" in pictures) == reaches


@pytest.mark.parametrize(("name", "more"), [
    ("gunpoint", ["model=bilstm", "model.core.num_layers=2", "model.heads.label.pooling=attention"]),
    ("airline", ["model=cnn", "model.heads.x.loss=gaussian"]),
])
def test_a_task_twice_is_the_same_bytes_with_any_core(name, more, tmp_path):
    """Metrics, pictures and weights."""
    pytest.importorskip("aeon")
    folders = [tmp_path / each for each in ("first", "second")]
    for folder in folders:
        folder.mkdir()
    first, second = (snapshot(made(name, folder, *more).root) for folder in folders)
    assert first == second
    assert {"metrics/test.json", "plots/test/curves.png", "artifacts/model/model.safetensors"} <= set(first)


def loss_after(folder: Path, name: str, *more: str) -> tuple[float, float]:
    """Training loss of the first row of the curve and of the last one."""
    run(Workspace(folder, folder), configured(name, folder, "train.max_steps=null", *more), "prepare", "train")
    with (folder / "plots" / "train.csv").open(newline="") as file:
        rows: list[dict[str, Any]] = list(csv.DictReader(file))
    return float(rows[0]["loss"]), float(rows[-1]["loss"])


@pytest.mark.parametrize(("name", "least", "more"), [
    ("jsb", 0.3, ["train.learning_rate=0.03", "train.epochs=40", "model.heads.x.dropout=0"]),
    ("mackey_glass", 0.5, ["train.learning_rate=0.01", "train.epochs=15"]),
    ("signals", 0.3, ["train.learning_rate=0.02", "train.epochs=12", "model.core.hidden_size=16", "train.batch_size=4",
                      "data.noise=0.05"]),
    ("signals", 0.3, ["model=mlp", "model.core.window=8", "train.learning_rate=0.01", "train.epochs=12",
                      "model.core.hidden_size=16", "train.batch_size=4", "data.noise=0.05"]),
])
def test_a_task_is_learnt(name, least, more, tmp_path):
    first, last = loss_after(tmp_path, name, *more)
    assert last < (1 - least) * first
