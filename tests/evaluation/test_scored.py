"""Predictions beside their targets: each once, in the data's order, whatever the batches are."""

import numpy as np
import pytest
import torch

from tests.data.conftest import dealt, npz, written
from tests.evaluation.conftest import evaluation, model_of
from unroll.config.sources.signals import Settings as SignalsData
from unroll.data.store import Prepared
from unroll.evaluation.scored import Scored, layout_of, score, score_split
from unroll.sources.common.memory import Items, OneStream

DRAW = np.random.default_rng(0)
LENGTHS = [4, 1, 6, 3, 5, 2, 7, 3, 1, 8, 2, 4]
VECTORS = [DRAW.standard_normal((length, 2)) for length in LENGTHS]
TARGETS = {
    "class": [DRAW.choice(["a", "b", "c"]) for _ in LENGTHS],
    "tag": [DRAW.choice(["a", "b", "c"], length) for length in LENGTHS],
    "labels": [DRAW.integers(0, 2, (length, 3)) for length in LENGTHS],
    "value": [DRAW.standard_normal(2) for _ in LENGTHS],
    "values": [DRAW.standard_normal((length, 2)) for length in LENGTHS],
}
kinds = pytest.mark.parametrize("kind", TARGETS)


def prepared(folder, kind: str) -> Prepared:
    pieces = [{"x": x, "y": y} for x, y in zip(VECTORS, TARGETS[kind], strict=True)]
    return written(folder, npz("y", kind), dealt(pieces))


def one_by_one(made: Prepared, kind: str) -> Scored:
    """Without a layout: each sequence alone, from the arrays of the folder."""
    network = model_of(made, kind).network
    data, head = made.sequences("train"), network.head("y")
    predictions, targets, cost = [], [], 0.0
    for number, (first, last) in enumerate(data.bounds):
        x = torch.from_numpy(data.inputs["x"].show(data.inputs["x"].values[first:last]))[:, None]
        with torch.inference_mode():
            out = network({"x": x})[0]["y"]
        per_step = data.targets["y"].per == "step"
        rows = slice(first, last) if per_step else slice(number, number + 1)
        y = data.targets["y"].show(data.targets["y"].values[rows]).astype(data.targets["y"].dtype)
        out = out[:, 0] if per_step else out
        cost += float(head.loss(out, torch.from_numpy(y)))
        predictions.append(head.predict(out).double().numpy())
        targets.append(y)
    whole = np.concatenate(predictions)
    return Scored(whole, np.concatenate(targets), cost / len(whole))


@kinds
@pytest.mark.parametrize("lanes", [1, 3, 100])
def test_every_target_of_sequences_is_scored_once_and_in_order(tmp_path, kind, lanes):
    made = prepared(tmp_path, kind)
    found = score(model_of(made, kind).network, made.sequences("train"), "y", evaluation(lanes=lanes))
    expected = one_by_one(made, kind)
    np.testing.assert_allclose(found.predictions, expected.predictions, rtol=0, atol=1e-5)
    np.testing.assert_array_equal(found.targets, expected.targets)
    assert found.loss == pytest.approx(expected.loss, rel=1e-5)


def signals(folder, steps: int = 120) -> Prepared:
    config = SignalsData(kind="signals", size=2, laws=3, steps=steps, dwell=5, noise=0.1, scale="none",
                         inputs={"x": "real"}, targets={"tag": "tag"}, validation=0.1, test=0.2, seed=1)
    draw = np.random.default_rng(3)
    fields = {"x": draw.standard_normal((steps, 2)), "tag": draw.choice(["a", "b", "c"], steps)}
    bounds = {"train": (0, steps // 2), "validation": (steps // 2, steps // 2 + 11), "test": (steps // 2 + 11, steps)}
    return written(folder, config, OneStream(fields, bounds))


@pytest.mark.parametrize(("lanes", "warmup"), [(1, 0), (3, 4), (7, 2), (1000, 9)])
def test_every_target_of_a_stream_is_scored_once_and_in_order(tmp_path, lanes, warmup):
    """A convolution looks two steps back: lanes that were warmed up so long say what one lane says."""
    made = signals(tmp_path)
    network = model_of(made, "tag", "cnn").network
    one, many = (score(network, made.sequences("test"), "tag", evaluation(lanes=a, warmup=b)) for a, b in ((1, 0), (lanes, warmup)))
    assert many.targets.tolist() == made.values("tag", "test").tolist()
    np.testing.assert_allclose(many.predictions, one.predictions, rtol=0, atol=1e-5)
    assert many.loss == pytest.approx(one.loss, rel=1e-5)
    truth = -np.log(one.predictions[np.arange(len(one.targets)), one.targets]).mean()
    assert one.loss == pytest.approx(truth, rel=1e-5)


def test_a_long_stream_carries_its_state_from_stretch_to_stretch(tmp_path):
    """Longer than what is read at a time: as if it were read at once."""
    made = signals(tmp_path, 1200)
    network = model_of(made, "tag", "lstm").network
    found = score(network, made.sequences("test"), "tag", evaluation(lanes=1, warmup=0))
    x = torch.from_numpy(made.values("x", "test").astype(np.float32))[:, None]
    assert len(x) > 2 * 256
    with torch.inference_mode():
        expected = network({"x": x})[0]["tag"][:, 0].softmax(dim=-1)
    np.testing.assert_allclose(found.predictions, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("limit", "sequences"), [(1, 1), (4, 1), (8, 2), (12, 3), (30, 7), (31, 8), (10_000, 8)])
def test_about_as_many_training_steps_are_scored_as_are_asked_for(tmp_path, limit, sequences):
    """Whole sequences, one at least; the other splits as they are."""
    made = prepared(tmp_path, "class")
    network = model_of(made, "class").network
    assert len(score_split(network, made, "train", "y", evaluation(train_tokens=limit)).targets) == sequences
    assert len(score_split(network, made, "test", "y", evaluation(train_tokens=limit)).targets) == 2


def test_every_class_of_training_sequences_sorted_by_class_is_scored(tmp_path):
    """As a source with a folder for each class has them."""
    names = sorted("abcd" * 10)
    pieces = [{"x": DRAW.standard_normal((5, 2)), "y": name} for name in names]
    made = written(tmp_path, npz("y", "class"), Items(pieces, {"train": range(40), "validation": range(4), "test": range(4)}))
    scored = score_split(model_of(made, "class").network, made, "train", "y", evaluation(train_tokens=40))
    assert np.bincount(scored.targets).tolist() == [2, 2, 2, 2]


@pytest.mark.parametrize(("lanes", "limit", "expected"), [
    (4, 8, [0, 1, 15, 16, 30, 31, 45, 46]), (1, 3, [0, 1, 2]), (4, 999, range(60)), (100, 30, range(60)),
])
def test_the_beginning_of_each_lane_of_a_long_training_stream_is_scored(tmp_path, lanes, limit, expected):
    made = signals(tmp_path)
    tags, network = made.values("tag", "train"), model_of(made, "tag", "cnn").network
    found = score_split(network, made, "train", "tag", evaluation(lanes=lanes, warmup=2, train_tokens=limit))
    whole = score(network, made.sequences("train"), "tag", evaluation(lanes=1, warmup=0))
    assert found.targets.tolist() == tags[list(expected)].tolist()
    np.testing.assert_allclose(found.predictions, whole.predictions[list(expected)], rtol=0, atol=1e-5)
    layout = layout_of(made.sequences("train"), evaluation(lanes=lanes, warmup=2), False, limit)
    assert [at for part in layout.stretches() for at in range(60)[part]] == list(expected)
    assert sum(sum(layout.counts(index).values()) for index in range(len(layout))) == len(expected)
