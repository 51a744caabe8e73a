"""Labels: their cost and accuracy by hand, and baselines that know the sequence's borders."""

import itertools
import math

import numpy as np
import pytest

from tests.data.conftest import dealt, npz, written
from tests.evaluation.conftest import evaluation, model_of
from unroll.config.sources.pianoroll import Settings as PianorollData
from unroll.data.store import Prepared
from unroll.evaluation.reports import labels
from unroll.evaluation.reports.labels import measures, nll
from unroll.evaluation.scored import Scored

DRAW = np.random.default_rng(0)
LENGTHS = [5, 2, 7, 4, 3, 6, 8, 3]
ROLLS = [(DRAW.random((length, 88)) < 0.3).astype(np.uint8) for length in LENGTHS]


def test_the_cost_of_a_step_is_the_sum_over_its_labels():
    p = np.array([[0.5, 0.1, 0.9], [0.2, 0.2, 0.2]])
    truth = np.array([[1, 0, 1], [0, 0, 1]])
    by_hand = [-math.log(0.5) - math.log(0.9) - math.log(0.9), -2 * math.log(0.8) - math.log(0.2)]
    assert nll(p, truth) == pytest.approx(sum(by_hand) / 2)


@pytest.mark.parametrize(("p", "truth"), [(0.0, 1), (1.0, 0)])
def test_a_certain_mistake_is_dear_and_finite(p, truth):
    assert nll(np.array([[p]]), np.array([[truth]])) == pytest.approx(-math.log(1e-12))


def test_certainty_that_is_right_costs_nothing():
    assert nll(np.array([[1.0, 0.0]]), np.array([[1, 0]])) == 0


@pytest.mark.parametrize(("p", "truth", "accuracy"), [
    ([[0.9, 0.9, 0.1]], [[1, 0, 1]], 1 / 3),           # one hit, one false, one missed
    ([[0.9, 0.2], [0.7, 0.6]], [[1, 0], [1, 1]], 1.0),
    ([[0.1, 0.2]], [[0, 0]], 0.0),                      # of nothing
    ([[0.5, 0.5]], [[1, 1]], 0.0),                      # what is no likelier than not is not said to sound
    ([[0.9, 0.9], [0.9, 0.9]], [[1, 0], [0, 0]], 0.25),
])
def test_frame_accuracy_leaves_out_what_is_rightly_silent(p, truth, accuracy):
    found = measures(Scored(np.array(p), np.array(truth), 0.7), "test/")
    assert found == {"test/loss": 0.7, "test/nll": nll(np.array(p), np.array(truth)),
                     "test/frame_accuracy": pytest.approx(accuracy)}


@pytest.fixture
def prepared(tmp_path) -> Prepared:
    config = PianorollData(kind="pianoroll", url="https://a", sha256="0" * 64, licence="CC0", inputs={"x": "real"},
                           targets={"x": "next_labels"})
    return written(tmp_path, config, dealt([{"x": roll} for roll in ROLLS]))


def test_the_report_of_what_sounds_next(prepared, tmp_path):
    report = labels.report(model_of(prepared, "labels"), prepared, "x", evaluation())
    found = report.metrics
    assert set(found) == {f"{prefix}{name}" for prefix in ("test/", "best/val_", "best/train_")
                          for name in ("loss", "nll", "frame_accuracy")} | {
        "baseline/frequencies_nll", "baseline/last_step_nll"}
    assert found["test/nll"] == pytest.approx(found["test/loss"], rel=1e-5)     # of its own loss
    assert (report.measure, report.higher_is_better, set(report.comparison.baselines)) == (
        "nll", False, {"frequencies", "last_step"})
    report.draw(tmp_path)
    assert (tmp_path / "roll.png").stat().st_size > 5000


def test_the_frequencies_are_those_of_training_counted_once_more(prepared):
    train = np.concatenate(ROLLS[:4]).astype(float)
    share = (train.sum(axis=0) + 1) / (len(train) + 2)
    cost = [-(np.log(share[roll[t] > 0]).sum() + np.log(1 - share[roll[t] == 0]).sum())
            for roll in ROLLS[6:] for t in range(1, len(roll))]
    found = labels.report(model_of(prepared, "labels"), prepared, "x", evaluation()).metrics
    assert found["baseline/frequencies_nll"] == pytest.approx(np.mean(cost))


def test_the_last_step_is_the_one_before_in_the_same_sequence(prepared):
    """How often a note stays on, and how often one comes on; counted once more."""
    on = {"stays": np.ones(88), "was": np.full(88, 2.0), "comes": np.ones(88), "off": np.full(88, 2.0)}
    for roll in ROLLS[:4]:
        for before, after in itertools.pairwise(roll):
            on["was"] += before
            on["stays"] += before * after
            on["off"] += 1 - before
            on["comes"] += (1 - before) * after
    cost = []
    for roll in ROLLS[6:]:
        for before, after in itertools.pairwise(roll):
            p = np.where(before > 0, on["stays"] / on["was"], on["comes"] / on["off"])
            cost.append(-np.log(np.where(after > 0, p, 1 - p)).sum())
    found = labels.report(model_of(prepared, "labels"), prepared, "x", evaluation()).metrics
    assert found["baseline/last_step_nll"] == pytest.approx(np.mean(cost))


def test_labels_at_their_own_step_have_no_step_before(tmp_path):
    pieces = [{"x": DRAW.standard_normal((len(roll), 2)), "on": roll} for roll in ROLLS]
    made = written(tmp_path, npz("on", "labels"), dealt(pieces))
    found = labels.report(model_of(made, "labels"), made, "on", evaluation()).metrics
    assert [name for name in found if name.startswith("baseline/")] == ["baseline/frequencies_nll"]


def test_a_sequence_of_one_step_is_left_out_of_what_comes_next(tmp_path):
    config = PianorollData(kind="pianoroll", url="https://a", sha256="0" * 64, licence="CC0", inputs={"x": "real"},
                           targets={"x": "next_labels"})
    short = [roll[:1] if number in (1, 6) else roll for number, roll in enumerate(ROLLS)]
    made = written(tmp_path, config, dealt([{"x": roll} for roll in short]))
    found = labels.report(model_of(made, "labels"), made, "x", evaluation(lanes=1)).metrics
    assert all(math.isfinite(value) for value in found.values())
