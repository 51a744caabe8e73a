"""Where one class is rare, the balanced accuracy of what the cross-entropy learns, and of what is made for it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import refused
from tests.data.conftest import npz, written
from tests.models.conftest import core
from tests.training.conftest import settings, trained
from tests.training.test_resume import EVERY, Stopped, outcome, stopping
from unroll.config.model import ModelConfig
from unroll.config.objective import Objective
from unroll.data.store import Prepared
from unroll.sources.common.memory import Items
from unroll.training.batches import Batches

BALANCED = Objective("balanced_accuracy", True, "label")
PLAIN, ADJUSTED = "cross_entropy", {"kind": "logit_adjusted", "tau": 1.0}


def rare(folder: Path, share: float = 0.04, length: int = 5) -> Prepared:
    """Noise around 0 or, of the rare class, around 0.7: classes overlap, so that the prior decides; validation is alike."""
    draw, pieces = np.random.default_rng(0), []
    for number in range(1200):
        label = "rare" if number % round(1 / share) == 0 else "common"
        x = 0.7 * (label == "rare") + draw.standard_normal((length, 1))
        pieces.append({"x": x, "label": label})
    return written(folder, npz("label", "class"), Items(pieces, {"train": range(600), "validation": range(600, 1150),
                                                                 "test": range(1150, 1200)}))


def model(loss: Any) -> ModelConfig:
    return ModelConfig.model_validate({
        "inputs": {"x": {"kind": "real", "size": None, "dropout": 0.0}}, "core": core("gru"),
        "heads": {"label": {"kind": "classification", "loss": loss, "pooling": "mean", "dropout": 0.0}},
    })


def balanced_accuracy(prepared: Prepared, folder: Path, loss: Any, balance: str | None) -> float:
    config = settings(batch_size=25, epochs=8, learning_rate=0.01, balance=balance, log_steps=1000,
                      optimizer={"kind": "adamw", "beta1": 0.9, "beta2": 0.99, "weight_decay": 0.0})
    _, result = trained(prepared, folder, config, model(loss), goal=BALANCED)
    return result.curves["validation"][-1]["balanced_accuracy"]


def test_a_rare_class_is_found_by_adjusted_logits_and_by_balanced_batches(tmp_path):
    prepared = rare(tmp_path)
    plain = balanced_accuracy(prepared, tmp_path / "plain", PLAIN, None)
    adjusted = balanced_accuracy(prepared, tmp_path / "adjusted", ADJUSTED, None)
    balanced = balanced_accuracy(prepared, tmp_path / "balanced", PLAIN, "label")
    assert plain < 0.6, "the cross-entropy names the frequent class"
    assert min(adjusted, balanced) > plain + 0.1, (plain, adjusted, balanced)


def test_weights_begin_after_an_epoch_and_where_a_stopped_training_goes_on(tmp_path):
    prepared, config = rare(tmp_path), settings(batch_size=200, epochs=3, learning_rate=0.1, log_steps=1)    # 3 steps each
    loss = {"kind": "ldam", "max_margin": 0.5, "scale": 2.0, "reweight": None}
    plain, later = model(loss), model({**loss, "reweight": {"after": 1, "beta": 0.999}})
    rows = [trained(prepared, tmp_path / name, config, each)[1].curves["train"] for name, each in (("a", plain), ("b", later))]
    differ = [first["loss"] != second["loss"] for first, second in zip(*rows, strict=True)]
    assert differ == [False] * 3 + [True] * 6
    expected = outcome(*trained(prepared, tmp_path / "whole", config, later))
    for step in (2, 3, 4):
        with pytest.raises(Stopped):
            trained(prepared, tmp_path / str(step), config, later, watch=stopping(step), saving=EVERY)
        assert outcome(*trained(prepared, tmp_path / str(step), config, later, saving=EVERY)) == expected, step


@pytest.mark.parametrize("whole", [True, False])
def test_sequences_that_are_read_in_several_batches_cannot_be_balanced(tmp_path, whole):
    prepared = rare(tmp_path, length=9)
    config = settings(batch_size=10, bptt=4, balance="label")
    if whole:
        assert Batches(prepared, config, 0, whole).train_length == 60
    else:
        with refused("unsupported", "train.balance", "9 steps"):
            Batches(prepared, config, 0, whole)


def test_validation_is_not_balanced(tmp_path):
    prepared = rare(tmp_path)
    layouts = [Batches(prepared, settings(batch_size=10, balance=balance), 0, True).layout("validation", 100)
               for balance in (None, "label")]
    read = [[layout.batch(at).items.tolist() for at in range(len(layout))] for layout in layouts]
    assert read[0] == read[1]
