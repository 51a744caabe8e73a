"""Our own heads and losses keep their contracts, and what breaks one is named."""

from typing import Any

import pytest
import torch
from torch import Tensor

from unroll.config.heads import HEADS, regression
from unroll.config.losses import LOSSES, squared_error
from unroll.generation.draws import regression as draw_code
from unroll.models.dropout import Dropout, no_dropout
from unroll.models.heads import regression as head_code
from unroll.models.loss import BaseRealLoss
from unroll.models.losses import squared_error as loss_code
from unroll.models.onnx.graph import Graph
from unroll.testing import check_head, check_loss

LEVELS = [0.1, 0.5, 0.9]
HEADS_OWN: dict[str, list[dict[str, Any]]] = {
    "next_token": [{"tied": False}, {"tied": True}],
    "classification": [
        *({"loss": "cross_entropy", "pooling": pooling} for pooling in (None, "last", "attention")),
        {"loss": {"kind": "ldam", "max_margin": 0.5, "scale": 3.0, "reweight": None}},
        {"loss": {"kind": "logit_adjusted", "tau": 1.0}, "pooling": "mean"},
    ],
    "labels": [{"loss": "binary_cross_entropy"}],
    "regression": [{"loss": "squared_error"}, {"loss": {"kind": "huber", "delta": 1.0}},
                   {"loss": "gaussian", "pooling": "mean"}, {"loss": "quantile", "pooling": "max"}],
    "mixture": [{"components": 3}, {"components": 1, "pooling": "last"}],
    "forecast": [{"loss": loss, "levels": LEVELS, "calibration": "none", "decoder": None, "pooling": "last"} for loss in ("gaussian", "quantile")],
}
LOSSES_OWN: dict[str, dict[str, Any]] = {
    "huber": {"delta": 0.7}, "weighted_cross_entropy": {"power": 0.5, "weights": {"a": 2.0}}, "focal": {"gamma": 2.0},
    "class_balanced": {"beta": 0.9}, "ldam": {"max_margin": 0.5, "scale": 3.0, "reweight": {"after": 1, "beta": 0.9}}, "logit_adjusted": {"tau": 1.0},
}


@pytest.mark.parametrize(("kind", "own"), [(kind, own) for kind in HEADS.own for own in HEADS_OWN[kind]], ids=str)
def test_our_heads_keep_the_contract(kind: str, own: dict[str, Any]) -> None:
    check_head(kind, **own)


@pytest.mark.parametrize("kind", LOSSES.own)
def test_our_losses_keep_the_contract(kind: str) -> None:
    check_loss(kind, **LOSSES_OWN.get(kind, {}))


def test_a_setting_that_the_kind_alone_has_is_asked_for() -> None:
    with pytest.raises(AssertionError, match="delta: missing"):
        check_loss("huber")
    with pytest.raises(AssertionError, match="loss: missing"):
        check_head("regression")


# ------------------------------------------------------------------------------------------------------- heads


class LooksAhead(head_code.Head):
    def forward(self, hidden: Tensor, lengths: Tensor | None = None, dropout: Dropout = no_dropout) -> Tensor:
        return super().forward(hidden + hidden.mean(dim=0), lengths, dropout)


class Dry(head_code.Head):
    def forward(self, hidden: Tensor, lengths: Tensor | None = None, dropout: Dropout = no_dropout) -> Tensor:
        return super().forward(hidden, lengths)


class Averaged(head_code.Head):
    def loss(self, outputs: Tensor, target: Tensor) -> Tensor:
        return super().loss(outputs, target) / (~target.isnan()).sum()


class Unmasked(head_code.Head):
    def loss(self, outputs: Tensor, target: Tensor) -> Tensor:
        return super().loss(outputs, target.nan_to_num(0))


class Backwards(head_code.Head):
    def loss(self, outputs: Tensor, target: Tensor) -> Tensor:
        return super().loss(2 * outputs.detach() - outputs, target)     # the same value, the opposite gradient


class OtherGraph(head_code.Head):
    def onnx(self, graph: Graph, name: str, last: str) -> None:
        super().onnx(graph, name, graph.node("Neg", last))


class Shares(head_code.Head):
    def statistics(self, outputs: Tensor, target: Tensor) -> Tensor:
        return (outputs > 0).double().mean()[None]


@pytest.mark.parametrize(("head", "complaint"), [
    (Shares, "do not add up"),
    (LooksAhead, "lanes depend on each other or on their padding"),
    (Dry, "asks for dropout of nothing"),
    (Averaged, "loss() is not a sum over targets"),
    (Unmasked, "masked targets cost something"),
    (Backwards, "do not make the loss smaller"),
    (OtherGraph, "onnx() differs from PyTorch's"),
])
def test_what_breaks_the_contract_of_heads_is_named(
    head: type[head_code.Head], complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(head_code, "Head", head)
    with pytest.raises(AssertionError) as caught:
        check_head("regression", loss="squared_error")
    assert complaint in str(caught.value)


class Together(draw_code.Draw):
    def uniform(self, lanes: Any) -> Any:
        return super().uniform(lanes[::-1])


class Chance(draw_code.Draw):
    def __call__(self, lanes: Any, outputs: Any) -> Any:
        self.greedy = False
        return super().__call__(lanes, outputs)


class Wide(draw_code.Draw):
    def __call__(self, lanes: Any, outputs: Any) -> Any:
        return super().__call__(lanes, outputs)[0][:, :1], None


@pytest.mark.parametrize(("draw", "complaint"), [
    (Together, "depends on the lanes beside it"), (Chance, "with greedy"), (Wide, "steps of shape"),
])
def test_what_breaks_the_contract_of_draws_is_named(
    draw: type[draw_code.Draw], complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draw_code, "Draw", draw)
    with pytest.raises(AssertionError) as caught:
        check_head("regression", loss="gaussian")
    assert complaint in str(caught.value)


def test_a_head_has_the_measures_that_its_settings_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regression.Settings, "measures", {"r2": True})
    with pytest.raises(AssertionError, match=r"settings name \['r2'\]"):
        check_head("regression", loss="squared_error")


def test_a_head_predicts_targets_that_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regression.Settings, "predicts", ("value", "novels"))
    with pytest.raises(AssertionError, match=r"\['novels'\], which are no targets"):
        check_head("regression", loss="squared_error")


# ------------------------------------------------------------------------------------------------------- losses


class Mean(loss_code.Loss):
    def __call__(self, outputs: Tensor, target: Tensor) -> Tensor:
        return super().__call__(outputs, target) / target.numel()


class Holes(BaseRealLoss):
    def __call__(self, outputs: Tensor, target: Tensor) -> Tensor:
        return ((outputs[..., 0] - target) ** 2).nan_to_num(0).sum()        # 0 forward, NaN backward


class Half(BaseRealLoss):
    def __call__(self, outputs: Tensor, target: Tensor) -> Tensor:
        known = ~target.isnan()
        return ((outputs[..., 0][known] - target[known].to(outputs.dtype)) ** 2).sum()


class Falling(loss_code.Loss):
    def predict(self, outputs: Tensor) -> Tensor:
        return outputs - torch.arange(len(self.levels)).to(outputs)


class Rising(loss_code.Loss):
    def predict(self, outputs: Tensor) -> Tensor:
        return outputs + torch.arange(len(self.levels)).to(outputs)


@pytest.mark.parametrize(("loss", "complaint"), [
    (Mean, "the loss is not a sum"),
    (Holes, "the gradient is not finite where targets are masked"),
    (Half, "the loss of torch.bfloat16 outputs is torch.bfloat16"),
    (Falling, "quantiles do not rise"),
    (Rising, "predict() has several values, intervals is False"),
])
def test_what_breaks_the_contract_of_losses_is_named(
    loss: type[BaseRealLoss], complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loss_code, "Loss", loss)
    with pytest.raises(AssertionError) as caught:
        check_loss("squared_error")
    assert complaint in str(caught.value)


def test_intervals_that_are_promised_are_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(squared_error.Settings, "intervals", True)
    with pytest.raises(AssertionError, match="predict\\(\\) has one value, intervals is True"):
        check_loss("squared_error")
