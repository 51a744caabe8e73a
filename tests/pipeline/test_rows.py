"""Every kind of task through all stages on a small profile: the trivial baseline is beaten."""

import importlib.metadata
import json
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

import unroll
from tests.conftest import REPOSITORY, STAGES, link_project
from unroll.base.files import sha256
from unroll.base.workspace import Workspace
from unroll.compose import compose
from unroll.config.schema import STAGE_SECTIONS
from unroll.data.store import open_prepared
from unroll.sources import Access, open_source

QUIET = ["train.threads=1", "runtime.progress=false", "runtime.tracking.enabled=false"]


@dataclass(frozen=True)
class Result:
    workspace: Workspace
    test: dict[str, float]

    def __getitem__(self, name: str) -> float:
        return self.test[name]

    @property
    def pictures(self) -> set[str]:
        return {file.name for file in (self.workspace.plots / "test").iterdir()}

    def predictions(self) -> list[str]:
        return (self.workspace.samples / "predictions.csv").read_text(encoding="utf-8").splitlines()


@pytest.fixture
def row(tmp_path: Path):
    def run(*overrides: str) -> Result:
        workspace = Workspace(tmp_path, tmp_path)
        link_project(tmp_path)
        text, config = compose(REPOSITORY / "conf", [*overrides, *QUIET])
        workspace.params.write_text(text, encoding="utf-8")
        for name in STAGES:
            stage = getattr(import_module(f"unroll.stages.{name}"), name)
            stage(workspace, config.runtime, **{each: getattr(config, each) for each in STAGE_SECTIONS[name]})
        return Result(workspace, json.loads((workspace.metrics / "test.json").read_text()))

    return run


@pytest.mark.parametrize("experiment", ["gunpoint_lstm50", "gunpoint_lstm128"])
def test_the_classic_networks_are_as_given(row, experiment):
    """LSTM(50) or LSTM(128) → Dropout(0.5), one sigmoid, Adam, 10 epochs, batch 32."""
    result = row(f"experiment={experiment}", "train.epochs=1", "evaluate.dtw_cells=1")
    described = json.loads((result.workspace.model / "model.json").read_text())["architecture"]
    config = compose(REPOSITORY / "conf", [f"experiment={experiment}"])[1].train
    assert (config.epochs, config.batch_size, config.learning_rate) == (10, 32, 0.001)
    assert (config.optimizer.kind, config.optimizer.weight_decay, config.schedule.kind) == ("adamw", 0.0, "constant")
    hidden, dropout = (50, 0.0) if experiment.endswith("50") else (128, 0.5)
    assert (described["core"]["kind"], described["core"]["hidden_size"]) == ("lstm", hidden)
    assert described["heads"]["label"] == {"kind": "classification", "loss": "cross_entropy", "pooling": "last", "dropout": dropout}
    trained = json.loads((result.workspace.metrics / "train.json").read_text())
    # 4 gates of weights and a bias on one input number, and one output
    assert trained["model/parameters"] == 4 * (hidden + hidden**2 + hidden) + hidden + 1


def test_binary_classification(row):
    result = row("experiment=gunpoint", "train.epochs=40", "model.core.hidden_size=24", "train.learning_rate=0.01")
    assert result["test/accuracy"] > result["baseline/majority_accuracy"] + 0.1
    assert 0.85 < result["baseline/dtw_1nn_accuracy"] < 0.95        # published: 90.7 %
    assert result.pictures == {"baselines.png", "confusion.png", "curves.png", "recall.csv", "recall.png"}
    assert result.predictions()[0] == "sequence,label,p_1,p_2"
    assert len(result.predictions()) == 1 + 150


@pytest.mark.parametrize("model", ["bigru", "lstm", "rnn", "mlp", "cnn"])
def test_sequences_of_unequal_length(row, model):
    result = row("experiment=japanese_vowels", f"model={model}", "train.epochs=12", "evaluate.dtw_cells=1",
                 "model.core.hidden_size=32", "train.learning_rate=0.005")
    assert result["test/accuracy"] > 0.8 > result["baseline/majority_accuracy"] + 0.5


def test_multivariate_sequences(row):
    result = row("experiment=basic_motions", "train.epochs=10", "evaluate.dtw_cells=1", "train.learning_rate=0.005")
    assert result["test/accuracy"] > result["baseline/majority_accuracy"] + 0.3


def test_a_class_a_symbol(row):
    result = row("experiment=code", "data.longest=60000", "train.epochs=2", "model.core.hidden_size=64",
                 "train.schedule.warmup_steps=5", "train.batch_size=8")
    assert result["test/accuracy"] > max(result["baseline/symbol_accuracy"], result["baseline/majority_accuracy"])


def test_a_class_a_step_of_ten_numbers(row):
    result = row("experiment=signals", "data.steps=8000", "train.epochs=10", "model.core.hidden_size=32",
                 "train.schedule.warmup_steps=5", "train.batch_size=8", "train.learning_rate=0.01")
    assert result["test/accuracy"] > result["baseline/one_step_accuracy"] + 0.1
    assert len(result.predictions()) == 1 + 1600


def test_a_value_a_sequence(row):
    result = row("experiment=covid", "train.epochs=80")
    assert result["test/mse"] < result["baseline/mean_mse"]
    assert result.pictures == {"baselines.png", "curves.png", "against.png"}


def test_a_value_a_step_and_what_nonlinearity_buys(row):
    small = ("experiment=mackey_glass", "data.steps=4000", "train.epochs=20", "model.core.hidden_size=24",
             "train.learning_rate=0.01")
    curved = row(*small)
    assert curved["test/mse"] < 0.1 * curved["baseline/mean_mse"]
    assert curved["test/mse"] < 0.2 * curved["baseline/last_mse"]
    straight = row(*small, "model.core.nonlinearity=identity")
    assert curved["test/mse"] < 0.5 * straight["test/mse"]


def test_lines_beyond_the_reach_are_learnt_to_their_end(row):
    """By a second way, too: digits that only the memory of an earlier chunk knows, far from the start of their lines."""
    data = ["experiment=counting", "data.lines=250", "data.longest=300", "data.gap=5", "data.letters=2"]
    result = row(*data, "train.bptt=16", "train.epochs=10", "train.learning_rate=0.01", "model.core.hidden_size=32",
                 "evaluate.gradient_reach=32", "generate.temperatures=[]")
    assert result["test/bpc"] < result["baseline/ngram5_bpc"] - 0.2
    source, _ = open_source(compose(REPOSITORY / "conf", data)[1].data, Access(result.workspace.root))
    lines = [piece["text"] for piece in source.pieces("test")]
    costs = unroll.load(result.workspace.model).predict(lines)
    digits = [-np.log2(cost[at]) for line, cost in zip(lines, costs, strict=True)
              for at, character in enumerate(line) if at > 100 and character.isdigit()]
    assert len(digits) > 200 and np.mean(digits) < 0.5      # guessing costs log2 10 = 3.3
    total = -sum(np.log2(cost).sum() for cost in costs)
    assert total / sum(map(len, costs)) == pytest.approx(result["test/bpc"], rel=1e-4)


@pytest.mark.parametrize("loss", ["gaussian", "quantile"])
def test_forecasts_with_intervals(row, loss):
    result = row("experiment=airline", f"model.heads.x.loss={loss}", "train.epochs=40")
    assert result["test/mase"] < result["baseline/seasonal_naive_mase"] < result["baseline/naive_mase"]
    assert result["test/crps"] < result["baseline/naive_crps"]
    assert result["test/coverage"] > 0.3
    assert result.pictures == {"baselines.png", "coverage.csv", "curves.png", "fan.png"}
    assert result.predictions()[0] == "sequence,origin,step,x,q0.05,q0.1,q0.25,q0.5,q0.75,q0.9,q0.95"
    assert len(result.predictions()) == 1 + 12 * 25     # every origin of the last quarter's 36 months


def test_forecasts_half_a_day_ahead(row):
    result = row("experiment=solar", "train.epochs=20")
    assert result["test/mase"] < result["baseline/naive_mase"] / 2


@pytest.mark.parametrize("experiment", ["jsb", "nottingham"])
def test_several_labels_a_step(row, tmp_path, experiment):
    shared = REPOSITORY.parent / "shared" / "data" / "JSB_Chorales.mat"
    if experiment == "jsb" and shared.exists():
        file = shared
    else:       # chords that go round, of the same form
        file = tmp_path / "rolls.mat"
        draw, chords = np.random.default_rng(1), np.random.default_rng(2).random((24, 88)) < 0.05

        def rolls(count: int) -> np.ndarray:
            given = np.empty((1, count), dtype=object)
            for at in range(count):
                first = draw.integers(24)
                given[0, at] = chords[(first + np.arange(draw.integers(20, 60))) % 24].astype(float)
            return given

        savemat(file, {"traindata": rolls(60), "validdata": rolls(15), "testdata": rolls(15)})
    result = row(f"experiment={experiment}", f"data.url={file.as_uri()}", f"data.sha256={sha256(file)}", "train.epochs=10",
                 "model.core.hidden_size=64", "train.batch_size=8", "train.schedule.warmup_steps=5",
                 "train.learning_rate=0.005")
    assert result["test/nll"] < min(result["baseline/last_step_nll"], result["baseline/frequencies_nll"])
    assert "roll.png" in result.pictures


def test_text_classification(row):
    names = ["fsspec", "omegaconf", "pooch", "requests", "tqdm"]
    packages = ", ".join(f"{name}: '{importlib.metadata.version(name)}'" for name in names)
    result = row("experiment=docstrings", "~data.packages", f"+data.packages={{{packages}}}", "train.epochs=5",
                 "train.learning_rate=0.005", "model.core.hidden_size=32", "data.longest=200")
    assert result["test/macro_f1"] > result["baseline/majority_macro_f1"] + 0.1
    assert result["baseline/tfidf_macro_f1"] > 0.5
    assert len(open_prepared(result.workspace.prepared).spec.targets["label"].classes) == 5
