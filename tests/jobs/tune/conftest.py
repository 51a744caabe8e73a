"""A small search space."""

from typing import Any

from unroll.jobs.tune.space import TuneConfig

SETTINGS: dict[str, Any] = {
    "trials": 6, "seed": 1, "sampler": "tpe", "pruner": {"kind": "median", "trials": 2, "first": 1},
    "space": {"model": ["rnn", "gru"], "train.learning_rate": {"low": 0.001, "high": 0.1, "log": True},
              "model.core.hidden_size": {"low": 8, "high": 32, "step": 8}},
}


def configuration(**changes) -> TuneConfig:
    return TuneConfig.model_validate({**SETTINGS, **changes})
