"""Losses of classes with a long tail, each against its equation in a loop of NumPy."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.conftest import refused
from tests.models.conftest import core
from tests.specs import make_spec
from unroll.config.losses import LOSSES
from unroll.config.model import ModelConfig
from unroll.data.fields import IGNORED
from unroll.models.loss import BaseLoss, Frequencies, make_loss
from unroll.models.network import build

COUNTS = (90, 25, 4, 1)
NAMES = ("most", "many", "few", "one")
CASES: list[dict[str, Any]] = [
    {"kind": "weighted_cross_entropy", "power": 1.0, "weights": {}},
    {"kind": "weighted_cross_entropy", "power": 0.5, "weights": {"few": 3.0, "most": 0.5}},
    {"kind": "focal", "gamma": 2.0},
    {"kind": "focal", "gamma": 0.5},
    {"kind": "class_balanced", "beta": 0.99},
    {"kind": "ldam", "max_margin": 0.5, "scale": 4.0, "reweight": None},
    {"kind": "logit_adjusted", "tau": 1.5},
]


def loss_of(case: dict[str, Any], classes: int = 4) -> BaseLoss:
    settings = LOSSES.settings_of(case["kind"]).model_validate(case)
    return make_loss(settings, Frequencies(NAMES[:classes], COUNTS[:classes]))


def by_hand(case: dict[str, Any], logits: Any, target: Any, counts: tuple[int, ...]) -> float:
    """Logits (n, classes), target (n,), one example after another."""
    n, total = np.array(counts, float), 0.0
    weights = np.ones(len(n))
    if case["kind"] == "weighted_cross_entropy":
        weights = np.array([case["weights"].get(name, 1) * count ** -case["power"] for name, count in zip(NAMES, n, strict=False)])
    if "beta" in case:
        effective = np.array([sum(case["beta"] ** i for i in range(int(count))) for count in n])     # Σ β^i, i < n
        weights = 1 / effective
    weights = weights / ((n * weights).sum() / n.sum())
    for z, y in zip(logits, target, strict=True):
        if y == IGNORED:
            continue
        moved = np.array(z, float)
        if case["kind"] == "logit_adjusted":
            moved += case["tau"] * np.log(n / n.sum())
        if case["kind"] == "ldam":
            moved[y] -= case["scale"] * case["max_margin"] * n[y] ** -0.25 / max(n**-0.25)
        p = np.exp(moved[y]) / np.exp(moved).sum()
        focus = (1 - p) ** case["gamma"] if case["kind"] == "focal" else 1
        total += weights[y] * focus * -math.log(p)
    return total


def example(classes: int) -> tuple[Tensor, Tensor]:
    draw = torch.Generator().manual_seed(3)
    target = torch.randint(classes, (30,), generator=draw)
    target[::4] = IGNORED
    return 2 * torch.randn(30, classes, generator=draw, dtype=torch.float64), target


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("classes", [4, 2])
def test_a_loss_is_its_equation(case, classes):
    logits, target = example(classes)
    case = {**case, **({"weights": {name: own for name, own in case["weights"].items() if name in NAMES[:classes]}}
                       if "weights" in case else {})}
    outputs = logits if classes > 2 else logits[:, 1:] - logits[:, :1]      # the logit of the second of two
    expected = by_hand(case, logits.tolist(), target.tolist(), COUNTS[:classes])
    assert float(loss_of(case, classes)(outputs, target)) == pytest.approx(expected, rel=1e-9)
    steps = loss_of(case, classes)(outputs.reshape(5, 6, -1), target.reshape(5, 6))       # (T, B, ·)
    assert float(steps) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("plain", [
    {"kind": "weighted_cross_entropy", "power": 0.0, "weights": {}}, {"kind": "focal", "gamma": 0.0},
    {"kind": "class_balanced", "beta": 0.0}, {"kind": "ldam", "max_margin": 0.0, "scale": 1.0, "reweight": None},
    {"kind": "logit_adjusted", "tau": 0.0},
], ids=str)
def test_each_has_the_cross_entropy_as_a_special_case(plain):
    logits, target = example(4)
    assert float(loss_of(plain)(logits, target)) == pytest.approx(
        float(loss_of({"kind": "cross_entropy"})(logits, target)), rel=1e-12)


@pytest.mark.parametrize("case", [CASES[0], CASES[1], CASES[4]], ids=str)
def test_weights_have_mean_1_over_training(case):
    """So that a mean over a count is a weighted mean: with equal logits, it is that of the cross-entropy."""
    target = torch.repeat_interleave(torch.arange(4), torch.tensor(COUNTS))
    loss = float(loss_of(case)(torch.zeros(len(target), 4, dtype=torch.float64), target))
    assert loss / len(target) == pytest.approx(math.log(4), rel=1e-9)


def test_margins_are_weighted_after_some_epochs_of_the_training_alone():
    case = {"kind": "ldam", "max_margin": 0.5, "scale": 4.0}
    loss, (logits, target) = loss_of({**case, "reweight": {"after": 2, "beta": 0.99}}), example(4)
    plain = by_hand(case, logits.tolist(), target.tolist(), COUNTS)
    weighted = by_hand({**case, "beta": 0.99}, logits.tolist(), target.tolist(), COUNTS)
    assert [float(loss.in_epoch(epoch, logits, target)) for epoch in range(4)] == pytest.approx(
        [plain, plain, weighted, weighted], rel=1e-9)
    assert float(loss(logits, target)) == pytest.approx(plain, rel=1e-9) != pytest.approx(weighted, rel=1e-3)


@pytest.mark.parametrize("gamma", [0.0, 0.3, 1.0, 2.0])
def test_certainty_leaves_the_gradient_of_the_focal_loss_finite(gamma):
    logits = torch.tensor([[200.0, 0.0], [0.0, 200.0]], requires_grad=True)
    loss_of({"kind": "focal", "gamma": gamma}, 2)(logits, torch.tensor([0, 0])).backward()
    assert logits.grad is not None and logits.grad.isfinite().all()


# ------------------------------------------------------------------------------------------------------- networks


def spec(counts: list[int] | None) -> Any:
    target = {"kind": "classes", "per": "sequence", "size": 4, "classes": list(NAMES)}
    return make_spec({"x": {"kind": "real", "size": 2, "scale": {"mean": [0.0, 0.0], "deviation": [1.0, 1.0]}}},
                     {"label": target | ({"counts": counts} if counts else {})}, layout="items")


def model(loss: Any) -> ModelConfig:
    return ModelConfig.model_validate({
        "inputs": {"x": {"kind": "real", "size": None, "dropout": 0.0}}, "core": core("gru"),
        "heads": {"label": {"kind": "classification", "loss": loss, "pooling": "last", "dropout": 0.0}},
    })


def test_a_head_reads_the_frequencies_of_training():
    network = build(model({"kind": "logit_adjusted", "tau": 1.0}), spec([*COUNTS]), seed=1)
    outputs, target = torch.zeros(4, 4, dtype=torch.float64), torch.arange(4)
    expected = -sum(math.log(count / sum(COUNTS)) for count in COUNTS)
    assert float(network.losses({"label": outputs}, {"label": target})["label"]) == pytest.approx(expected)


def test_the_scale_of_ldam_is_in_the_outputs_and_so_in_probabilities():
    plain, scaled = (build(model({"kind": "ldam", "max_margin": 0.5, "scale": scale, "reweight": None}), spec([*COUNTS]), seed=1)
                     for scale in (1.0, 30.0))
    x = torch.randn(7, 3, 2, generator=torch.Generator().manual_seed(0))
    first, second = (network({"x": x})[0]["label"] for network in (plain, scaled))
    torch.testing.assert_close(30 * first, second)
    torch.testing.assert_close(scaled.head("label").predict(second), (30 * first).softmax(dim=-1))


def test_predictions_go_by_plain_logits_after_logit_adjustment():
    head = build(model({"kind": "logit_adjusted", "tau": 1.0}), spec([*COUNTS]), seed=1).head("label")
    outputs = torch.tensor([[1.0, 2.0, 0.0, -1.0]])
    torch.testing.assert_close(head.predict(outputs), outputs.softmax(dim=-1))


def test_an_unknown_class_is_named_with_its_setting():
    with refused("unknown-class", "model.heads.label.loss.weights", "'fewer'", "few"):
        build(model({"kind": "weighted_cross_entropy", "power": 0.0, "weights": {"fewer": 2.0}}), spec([*COUNTS]), 1)


def test_data_prepared_before_frequencies_were_kept_is_prepared_again():
    with refused("stale", "model.heads.label.loss", "unroll prepare"):
        build(model({"kind": "class_balanced", "beta": 0.9}), spec(None), 1)
    build(model("cross_entropy"), spec(None), 1)


def test_a_class_that_yaml_reads_as_a_number_has_its_name():
    settings = LOSSES.settings_of("weighted_cross_entropy").model_validate(
        {"kind": "weighted_cross_entropy", "power": 0.0, "weights": {1: 2.0, "two": 3}})
    assert settings.weights == {"1": 2.0, "two": 3.0}
