"""Two thousand characters in eight lanes, and trainings of sixteen batches on them."""

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.conftest import run, tiny
from tests.models.conftest import small
from unroll.base.workspace import Workspace
from unroll.config.model import ModelConfig
from unroll.config.objective import LOWEST_LOSS, Objective
from unroll.config.runtime import CheckpointConfig
from unroll.config.train import TrainConfig
from unroll.data.store import Prepared, open_prepared
from unroll.models.network import Network, build
from unroll.training.batches import Batches
from unroll.training.callbacks import Unit
from unroll.training.fit import Result, Watch, fit
from unroll.training.work import Work

composed = cache(tiny)
BATCHES = 16
NEVER = CheckpointConfig(steps=None, minutes=None)
QUIET = Watch(lambda curve, row: None, lambda network, step: None, progress=False)
PLAIN: dict[str, Any] = {
    "epochs": 1,
    "max_steps": None,
    "learning_rate": 0.5,
    "optimizer": {"kind": "sgd", "momentum": 0.0, "weight_decay": 0.0},
    "schedule": {"kind": "constant", "warmup_steps": 0, "final_fraction": 0.0},
    "clip_norm": None,
    "log_steps": 1,
}


def settings(**changes: Any) -> TrainConfig:
    """Plain gradient descent, and a row of the curve for every step."""
    return TrainConfig.model_validate(composed().train.model_dump() | PLAIN | changes)


def trained(
    prepared: Prepared, work: Path, config: TrainConfig, model: ModelConfig | None = None, workers: int = 0,
    watch: Watch = QUIET, saving: CheckpointConfig = NEVER, goal: Objective = LOWEST_LOSS,
) -> tuple[Network, Result]:
    network = build(model or small("gru"), prepared.spec, config.seed)
    batches = Batches(prepared, config, workers, network.whole)
    return network, fit(network, batches, config, goal, Unit("symbols", 1.0),
                        Work(work, "key", saving, wait_minutes=1), watch)


def weights(network: Network) -> dict[str, torch.Tensor]:
    return {name: each.clone() for name, each in network.state_dict().items()}


def equal(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(each, second[name]) for name, each in first.items())


def prepare(folder: Path, text: str, unit: str) -> Prepared:
    (folder / "data" / "raw").mkdir(parents=True)
    (folder / "data" / "raw" / "corpus.txt").write_text(text, encoding="utf-8", newline="")
    run(Workspace(folder, folder), composed(f"data.unit={unit}"), "prepare")
    return open_prepared(folder / "data" / "prepared")


@pytest.fixture(scope="session")
def stream(english: str, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """No number of symbols that lanes or steps divide: the last lane and the last batch are shorter."""
    return prepare(tmp_path_factory.mktemp("stream"), english[:2_523], "stream")


@pytest.fixture(scope="session")
def lines(english: str, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """Words as items of their own."""
    words = sorted({word for word in english.split() if word.isalpha()})
    return prepare(tmp_path_factory.mktemp("lines"), "\n".join(words[:180]), "line")
