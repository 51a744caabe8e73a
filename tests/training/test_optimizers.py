"""Optimisers and schedules with the settings that section `train` gives."""

import math

import pytest
import torch
from torch.optim import SGD, AdamW, RMSprop

from tests.models.conftest import SPEC, small
from tests.training.conftest import settings
from unroll.config.train import ScheduleConfig
from unroll.models.network import build
from unroll.training.optimizers import groups, make_optimizer, make_schedule


@pytest.mark.parametrize(
    ("section", "kind", "expected"),
    [
        (
            {"kind": "adamw", "beta1": 0.8, "beta2": 0.97, "weight_decay": 0.03},
            AdamW,
            {"betas": (0.8, 0.97), "weight_decay": 0.03},
        ),
        ({"kind": "sgd", "momentum": 0.7, "weight_decay": 0.03}, SGD, {"momentum": 0.7, "weight_decay": 0.03}),
        (
            {"kind": "rmsprop", "alpha": 0.93, "momentum": 0.4, "weight_decay": 0.03},
            RMSprop,
            {"alpha": 0.93, "momentum": 0.4, "weight_decay": 0.03},
        ),
    ],
)
def test_every_optimiser_has_its_settings(section, kind, expected):
    network = build(small("lstm"), SPEC, seed=0)
    optimizer = make_optimizer(settings(optimizer=section, learning_rate=0.01), groups(network, 0.01, {}))
    (group,) = optimizer.param_groups
    assert type(optimizer) is kind
    assert {name: group[name] for name in (*expected, "lr")} == expected | {"lr": 0.01}


def test_frozen_parameters_are_left_out():
    network = build(small("lstm"), SPEC, seed=0)
    (group,) = make_optimizer(settings(), groups(network, settings().learning_rate, {})).param_groups
    assert len(group["params"]) == len(list(network.parameters())) - 1
    assert all(each.requires_grad for each in group["params"])


def rates(steps: int, total: int, **section) -> list[float]:
    """The learning rate of every step, at a base rate of 2."""
    optimizer = SGD([torch.nn.Parameter(torch.zeros(1))], lr=2.0)
    schedule = make_schedule(ScheduleConfig(**section), optimizer, total)
    seen = []
    for _ in range(steps):
        seen.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return seen


def test_a_constant_rate_follows_a_linear_warm_up():
    seen = rates(7, 7, kind="constant", warmup_steps=4, final_fraction=0.1)
    assert seen == pytest.approx([0.5, 1.0, 1.5, 2.0, 2.0, 2.0, 2.0])


def test_a_half_cosine_falls_from_the_end_of_the_warm_up_to_the_final_share():
    seen = rates(16, 12, kind="cosine", warmup_steps=2, final_fraction=0.2)
    assert seen[:3] == pytest.approx([1.0, 2.0, 2.0])
    assert seen[7] == pytest.approx(2 * 0.6)            # half-way
    assert seen[4] == pytest.approx(2 * (0.2 + 0.8 * (1 + math.cos(math.pi / 5)) / 2))
    assert seen[12:] == pytest.approx([0.4] * 4)        # and stays there
    assert seen[2:13] == sorted(seen[2:13], reverse=True)


def test_without_a_warm_up_the_first_step_has_the_whole_rate():
    for kind in ("constant", "cosine"):
        assert rates(1, 10, kind=kind, warmup_steps=0, final_fraction=0.0) == [2.0]


def test_a_training_shorter_than_its_warm_up_only_warms_up():
    assert rates(3, 3, kind="cosine", warmup_steps=10, final_fraction=0.0) == pytest.approx([0.2, 0.4, 0.6])
