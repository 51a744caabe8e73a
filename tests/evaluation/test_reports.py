"""Which report a head has, and the one of heads that have none of their own."""

from typing import ClassVar, Literal

import numpy as np
import pytest

from tests.data.conftest import dealt, npz, written
from tests.evaluation.conftest import evaluation, model_of
from unroll.config.head import HeadSettings
from unroll.config.heads import HEADS
from unroll.evaluation.reports import _losses, labels, regression, report_of


class Foreign(HeadSettings):
    kind: Literal["foreign"]


class Reported(Foreign):
    report: ClassVar[str] = "unroll.evaluation.reports.labels"


@pytest.mark.parametrize("kind", HEADS.own)
def test_every_head_has_a_report_of_its_name(kind):
    settings = HEADS.settings_of(kind).model_construct(kind=kind)
    assert report_of(settings).__module__ == f"unroll.evaluation.reports.{kind}"


def test_a_head_of_another_package_has_the_report_that_it_names_or_the_general_one():
    assert report_of(Reported(kind="foreign", dropout=0.0)) is labels.report
    assert report_of(Foreign(kind="foreign", dropout=0.0)) is _losses.report


def test_the_general_report_is_the_loss_of_each_split(tmp_path):
    draw = np.random.default_rng(0)
    pieces = [{"x": draw.standard_normal((length, 2)), "y": draw.standard_normal((length, 1))} for length in range(2, 12)]
    made = written(tmp_path, npz("y", "values"), dealt(pieces))
    model = model_of(made, "values")
    report, own = (module.report(model, made, "y", evaluation()) for module in (_losses, regression))
    assert report.metrics == {name: own.metrics[name] for name in ("test/loss", "best/val_loss", "best/train_loss")}
    assert (report.measure, report.higher_is_better, report.comparison.baselines) == ("loss", False, {})
    report.draw(tmp_path)
