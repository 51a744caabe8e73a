"""Training with Lightning against the same training in a plain loop."""

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from tests.data.conftest import dealt, npz, written
from tests.models.conftest import core, small
from tests.training.conftest import BATCHES, QUIET, settings, trained, weights
from unroll.config.model import ModelConfig
from unroll.config.train import TrainConfig
from unroll.data.batches import ItemLayout
from unroll.data.store import Prepared
from unroll.models.dropout import Masks
from unroll.models.network import Network, build
from unroll.training.fit import Watch


def lanes(prepared: Prepared, split: str, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Inputs and targets of a stream, (T, B), the last lane filled up with targets that do not count."""
    targets = torch.tensor(prepared.tokens("text", split).tolist())
    inputs = torch.cat([torch.tensor([prepared.tokenizer("text").begin]), targets[:-1]])
    missing = -len(targets) % count
    padded = (torch.cat([each, torch.full((missing,), fill)]) for each, fill in ((inputs, 0), (targets, -100)))
    first, second = (each.reshape(count, -1).T for each in padded)
    return first, second


def by_hand(network: Network, prepared: Prepared, config: TrainConfig) -> dict[str, list[Any]]:
    """Plain gradient descent without Lightning; what the curves hold, and the weights after every validation."""
    inputs, targets = lanes(prepared, "train", config.batch_size)
    parameters = [each for each in network.parameters() if each.requires_grad]
    seen: dict[str, list[Any]] = {"loss": [], "norm": [], "validation": [], "weights": []}
    number = 0
    for _ in range(config.epochs):
        state = None
        pieces = list(zip(inputs.split(config.bptt), targets.split(config.bptt), strict=True))
        for at in range(0, len(pieces), config.accumulate):
            group = pieces[at : at + config.accumulate]
            count = sum(int((y >= 0).sum()) for _, y in group)
            network.zero_grad()
            total = 0.0
            for x, y in group:
                outputs, state = network({"text": x}, state, Masks(config.seed, number, (0, config.batch_size)))
                state = [tuple(each.detach() for each in layer) for layer in state]
                nats = cross_entropy(outputs["text"].flatten(0, 1), y.flatten(), reduction="sum")
                (nats / count).backward()
                total += float(nats.detach())
                number += 1
            norm = math.sqrt(sum(float(each.grad.square().sum()) for each in parameters))
            scale = 1.0 if config.clip_norm is None else min(1.0, config.clip_norm / norm)
            with torch.no_grad():
                for each in parameters:
                    each -= config.learning_rate * scale * each.grad
            seen["loss"].append(total / count)
            seen["norm"].append(norm)
        with torch.no_grad():
            x, y = lanes(prepared, "validation", config.batch_size)
            nats = cross_entropy(network({"text": x})[0]["text"].flatten(0, 1), y.flatten(), reduction="sum")
        seen["validation"].append(float(nats) / int((y >= 0).sum()))
        seen["weights"].append(weights(network))
    return seen


@pytest.mark.parametrize(
    ("cell", "changes"),
    [
        ("rnn-sigmoid", {"epochs": 2}),
        ("gru", {"epochs": 2}),
        ("lstm", {"epochs": 2, "accumulate": 3}),       # 16 batches: five steps of three and one of one
        ("lstm", {"accumulate": 100}),
        ("gru", {"clip_norm": 0.2}),
        ("rnn-tanh", {"accumulate": 4, "clip_norm": 0.2}),
    ],
    ids=str,
)
def test_a_training_is_a_plain_loop(cell, changes, stream, tmp_path):
    config = settings(**changes)
    model = small(cell, layers=2, dropout=(0.1, 0.2, 0.3))
    expected = by_hand(build(model, stream.spec, config.seed), stream, config)
    network, result = trained(stream, tmp_path, config, model)
    train, validation = result.curves["train"], result.curves["validation"]
    assert [row["loss"] for row in train] == pytest.approx(expected["loss"], rel=1e-5)
    assert [row["gradient_norm"] for row in train] == pytest.approx(expected["norm"], rel=1e-4)
    assert [row["loss"] for row in validation] == pytest.approx(expected["validation"], rel=1e-5)
    best = min(range(config.epochs), key=lambda epoch: expected["validation"][epoch])
    torch.testing.assert_close(weights(network), expected["weights"][best], rtol=0, atol=1e-5)


def test_the_state_is_carried_between_batches_and_fresh_in_every_epoch(stream, tmp_path):
    """With a learning rate of next to nothing, one epoch costs what one pass over each lane costs, and so the next."""
    config = settings(epochs=2, learning_rate=1e-12)
    network, result = trained(stream, tmp_path, config)
    x, y = lanes(stream, "train", config.batch_size)
    with torch.no_grad():
        logits = network({"text": x})[0]["text"]
        losses = cross_entropy(logits.flatten(0, 1), y.flatten(), reduction="none").reshape(y.shape)
    expected = [float(a.sum()) / int((b >= 0).sum()) for a, b in zip(losses.split(16), y.split(16), strict=True)]
    assert [row["loss"] for row in result.curves["train"]] == pytest.approx(2 * expected, rel=1e-5)


@pytest.mark.parametrize("validate", [1, 3])
def test_validating_in_mid_epoch_changes_nothing(stream, tmp_path, validate):
    model = small("lstm", dropout=(0.1, 0.0, 0.3))
    _, plain = trained(stream, tmp_path / "plain", settings(epochs=2), model)
    _, often = trained(stream, tmp_path / "often", settings(epochs=2, validate_steps=validate), model)
    assert often.curves["train"] == plain.curves["train"]
    steps = {*range(validate, 2 * BATCHES + 1, validate), 2 * BATCHES}      # and the very last weights
    assert [row["step"] for row in often.curves["validation"]] == sorted(steps)


def test_lines_each_start_afresh(lines, tmp_path):
    config = settings(bptt=6, learning_rate=1e-12)
    network, result = trained(lines, tmp_path, config)
    tokens, offsets = lines.tokens("text", "validation"), lines.offsets("validation")
    nats = count = 0
    with torch.no_grad():
        for start, stop in pairwise(offsets):
            item = torch.tensor(tokens[start:stop].tolist())
            before = torch.cat([torch.tensor([lines.tokenizer("text").begin]), item[:-1]])
            logits = network({"text": before[:, None]})[0]["text"][:, 0]
            nats += float(cross_entropy(logits, item, reduction="sum"))
            count += len(item)
    assert result.best["loss"] == pytest.approx(nats / count, rel=1e-5)


def test_lines_are_learnt(lines, tmp_path):
    _, result = trained(lines, tmp_path, settings(epochs=4, learning_rate=1.0))
    losses = [row["loss"] for row in result.curves["validation"]]
    assert losses[-1] < losses[0] - 0.1
    assert any(float(np.float32(loss)) != loss for loss in losses), "early stopping compares more than seven digits"


def test_clipping_bounds_the_update(stream, tmp_path):
    started = weights(build(small("gru"), stream.spec, seed=1))
    moved = {}
    for limit in (None, 0.05):
        config = settings(max_steps=1, clip_norm=limit)
        network, result = trained(stream, tmp_path / str(limit), config)
        (row,) = result.curves["train"]
        change = torch.cat([(each - started[name]).flatten() for name, each in weights(network).items()])
        moved[limit] = float(change.norm()) / config.learning_rate
        assert row["clipped"] == (limit is not None)
    assert row["gradient_norm"] == pytest.approx(moved[None], rel=1e-4)     # as it was before clipping
    assert row["gradient_norm"] > 0.05
    assert moved[0.05] == pytest.approx(0.05, rel=1e-3)


def test_the_clipped_share_counts_the_steps_of_its_row(stream, tmp_path):
    norms = by_hand(build(small("gru"), stream.spec, seed=1), stream, settings())["norm"]
    limit = sorted(norms)[5]
    # clipped steps go another way than those of the loop above, so the first norms alone are compared
    _, result = trained(stream, tmp_path, settings(clip_norm=limit))
    by_step = [row["gradient_norm"] > limit for row in result.curves["train"]]
    assert 0 < sum(by_step) < BATCHES
    _, result = trained(stream, tmp_path, settings(clip_norm=limit, log_steps=4))
    shares = [row["clipped"] for row in result.curves["train"]]
    assert shares == [sum(by_step[at : at + 4]) / 4 for at in range(0, BATCHES, 4)]


def test_a_row_averages_the_steps_since_the_last(stream, tmp_path):
    config = settings(log_steps=5, learning_rate=0.25)
    losses = by_hand(build(small("gru"), stream.spec, seed=1), stream, config)["loss"]
    _, result = trained(stream, tmp_path, config)
    rows = result.curves["train"]
    assert [(row["step"], row["learning_rate"]) for row in rows] == [(5, 0.25), (10, 0.25), (15, 0.25)]
    assert [row["loss"] for row in rows] == pytest.approx([sum(losses[at : at + 5]) / 5 for at in (0, 5, 10)], rel=1e-5)


def test_every_optimiser_step_has_its_own_rate(stream, tmp_path):
    """Plain gradient descent moves the weights by rate times gradient: eight steps of two batches, half of warm-up."""
    schedule = {"kind": "cosine", "warmup_steps": 4, "final_fraction": 0.2}
    config = settings(accumulate=2, validate_steps=2, schedule=schedule)
    passed = [torch.cat([each.flatten() for each in build(small("gru"), stream.spec, seed=1).state_dict().values()])]

    def keep(network: Network, step: int) -> None:
        passed.append(torch.cat([each.flatten() for each in network.state_dict().values()]).clone())

    _, result = trained(stream, tmp_path, config, watch=Watch(QUIET.row, keep, progress=False))
    moved = [float((after - before).norm()) for before, after in pairwise(passed)]
    rates = [move / row["gradient_norm"] for move, row in zip(moved, result.curves["train"], strict=True)]
    cosine = [0.2 + 0.8 * (1 + math.cos(math.pi * at / 4)) / 2 for at in range(4)]
    assert rates == pytest.approx([0.5 * share for share in (0.25, 0.5, 0.75, 1, *cosine)], rel=1e-3)


# ------------------------------------------------------------------------------------------ sequences of any length

LENGTHS = [9, 4, 12, 1, 7, 3, 11, 2, 6, 5, 8, 10, 3, 6]
TASKS: dict[str, dict[str, Any]] = {
    "class": {"kind": "classification", "loss": "cross_entropy", "pooling": "mean"},
    "values": {"kind": "regression", "loss": "squared_error", "pooling": None},
    "value": {"kind": "regression", "loss": "squared_error", "pooling": "attention"},
}


def one_by_one(network: Network, prepared: Prepared, config: TrainConfig) -> dict[str, list[float]]:
    """Gradient descent with each sequence of a batch read alone: nothing is padded."""
    data = prepared.sequences("train")
    layout = ItemLayout(data, config.batch_size, config.seed)
    parameters = [each for each in network.parameters() if each.requires_grad]
    seen: dict[str, list[float]] = {"loss": [], "validation": []}

    def cost(split: str, item: int) -> tuple[torch.Tensor, int]:
        part = prepared.sequences(split)
        batch = ItemLayout(part.only(slice(item, item + 1)), 1, None).batch(0)
        outputs, _ = network({"x": torch.from_numpy(batch.inputs["x"])})
        return network.losses(outputs, {"y": torch.from_numpy(batch.targets["y"])})["y"], batch.valid

    for epoch in range(config.epochs):
        for index in range(len(layout)):
            network.zero_grad()
            costs = [cost("train", item) for item in layout.batch(index, epoch).items if item >= 0]
            loss = torch.stack([each for each, _ in costs]).sum() / sum(count for _, count in costs)
            loss.backward()
            seen["loss"].append(loss.item())
            with torch.no_grad():
                for each in parameters:
                    each -= config.learning_rate * each.grad
        with torch.no_grad():
            costs = [cost("validation", item) for item in range(len(prepared.sequences("validation")))]
        seen["validation"].append(sum(each.item() for each, _ in costs) / sum(count for _, count in costs))
    return seen


@pytest.mark.parametrize("cell", ["gru", "lstm", "cnn"])
@pytest.mark.parametrize("kind", TASKS)
def test_a_training_on_padded_sequences_is_a_plain_loop_over_each(kind, cell, tmp_path):
    draw = np.random.default_rng(0)
    targets = {"class": lambda length: str(draw.integers(3)), "values": lambda length: draw.random((length, 2)),
               "value": lambda length: draw.random(2)}
    pieces = [{"x": draw.standard_normal((length, 2)), "y": targets[kind](length)} for length in LENGTHS]
    prepared = written(tmp_path / "data", npz("y", kind), dealt(pieces))
    model = ModelConfig.model_validate({
        "inputs": {"x": {"kind": "real", "size": None, "dropout": 0.0}},
        "core": core(cell, layers=2, both=cell != "cnn"),
        "heads": {"y": {"dropout": 0.0, **TASKS[kind]}},
    })
    config = settings(batch_size=4, bptt=100, epochs=2, learning_rate=0.1)
    expected = one_by_one(build(model, prepared.spec, config.seed), prepared, config)
    _, result = trained(prepared, tmp_path, config, model)
    assert [row["loss"] for row in result.curves["train"]] == pytest.approx(expected["loss"], rel=1e-4)
    assert [row["loss"] for row in result.curves["validation"]] == pytest.approx(expected["validation"], rel=1e-4)
