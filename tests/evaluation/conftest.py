"""Small models of any task, untrained, on prepared folders of given sequences."""

from functools import cache
from typing import Any

import torch

from tests.conftest import tiny
from tests.models.conftest import core
from unroll.config.evaluate import EvaluateConfig
from unroll.config.model import ModelConfig
from unroll.data.store import Prepared
from unroll.models.folder import Model
from unroll.models.network import build

HEADS: dict[str, dict[str, Any]] = {
    "class": {"kind": "classification", "loss": "cross_entropy", "pooling": "mean"},
    "tag": {"kind": "classification", "loss": "cross_entropy", "pooling": None},
    "labels": {"kind": "labels", "loss": "binary_cross_entropy"},
    "value": {"kind": "regression", "loss": "squared_error", "pooling": "max"},
    "values": {"kind": "regression", "loss": "squared_error", "pooling": None},
    "mixture": {"kind": "mixture", "components": 3, "pooling": None},
    "forecast": {"kind": "forecast", "pooling": "last", "loss": "quantile", "levels": [0.1, 0.25, 0.5, 0.75, 0.9], "calibration": "none", "decoder": None},
}


composed = cache(tiny)


def evaluation(**changes: Any) -> EvaluateConfig:
    return composed().evaluate.model_copy(update=changes)


def model_of(prepared: Prepared, head: str, cell: str = "gru") -> Model:
    """With weights of every size: what starts at zero would hide a mistake."""
    (field,), (target,) = prepared.spec.inputs, prepared.spec.targets
    tokens = prepared.spec.inputs[field].kind == "tokens"
    config = ModelConfig.model_validate({
        "inputs": {field: {"kind": "embedding" if tokens else "real", "size": 4 if tokens else None, "dropout": 0.0}},
        "core": core(cell, hidden=5),
        "heads": {target: {"dropout": 0.0, **HEADS[head]}},
    })
    network = build(config, prepared.spec, seed=1)
    draw = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for each in network.parameters():
            if each.requires_grad:
                each.copy_(0.6 * torch.randn(each.shape, generator=draw))
    tokenizers = {field: prepared.tokenizer(field)} if tokens else {}
    return Model(network.eval(), config, prepared.spec, tokenizers, "d" * 64)
