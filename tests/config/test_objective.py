"""What the best weights are chosen by, and how much each target weighs."""

from typing import Any

import pytest

from tests.conftest import REPOSITORY
from unroll.base.errors import UserError
from unroll.compose import compose
from unroll.config.objective import Objective, objective

OBJECTS = ["experiment=objects"]


def composed(*overrides: str) -> Any:
    return compose(REPOSITORY / "conf", [*OBJECTS, *overrides])[1]


@pytest.mark.parametrize(("monitor", "expected"), [
    ("package/loss", Objective("package/loss", False, "package")),
    ("package/macro_f1", Objective("package/macro_f1", True, "package")),
    ("package/balanced_accuracy", Objective("package/balanced_accuracy", True, "package")),
    ("parameters/loss", Objective("parameters/loss", False, "parameters")),
])
def test_a_measure_of_a_target_has_a_direction(monitor, expected):
    config = composed(f"train.monitor={monitor}")
    assert objective(config.train.monitor, config.model.heads) == expected
    assert expected.better(2, 1) == expected.higher_is_better
    assert expected.rank(2) == (-2 if expected.higher_is_better else 2)


def test_a_tag_of_a_step_cannot_be_balanced():
    assert composed("train.balance=package").train.balance == "package"
    with pytest.raises(UserError) as caught:
        compose(REPOSITORY / "conf", ["experiment=code", "train.balance=tag"])
    assert caught.value.code == "conflict" and "train.balance: " in str(caught.value)


def test_of_one_target_a_measure_has_a_plain_name():
    config = compose(REPOSITORY / "conf", ["experiment=gunpoint", "train.monitor=label/accuracy"])[1]
    assert objective(config.train.monitor, config.model.heads) == Objective("accuracy", True, "label")


@pytest.mark.parametrize(("overrides", "setting"), [
    (["train.monitor=loss"], "train.monitor"),                      # nats and squared errors do not add up
    (["train.monitor=packages/loss"], "train.monitor"),
    (["train.monitor=package/mse"], "train.monitor"),
    (["train.monitor=package/accuracy", "train.stop_below=0.1"], "train.stop_below"),
    (["train.weights={package: 0, kind: 0, parameters: 0}"], "train.weights"),
    (["train.weights={pakage: 2}"], "train.weights"),
    (["train.balance=pakage"], "train.balance"),
    (["train.balance=parameters"], "train.balance"),                # a number
])
def test_what_cannot_be_monitored_or_weighed_is_one_line(overrides, setting):
    with pytest.raises(UserError) as caught:
        composed(*overrides)
    assert f"{setting}: " in str(caught.value) and "\n" not in str(caught.value)
