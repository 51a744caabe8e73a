"""A sequence in a padded batch is that sequence alone: every core, every pooling, every head."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.models.conftest import CELLS, core
from tests.specs import make_spec
from unroll.config.model import ModelConfig
from unroll.data.batches import ItemLayout
from unroll.data.fields import Sequences, sequences
from unroll.models.network import Network, build
from unroll.models.outputs import outputs

POOLINGS = ("last", "mean", "max", "attention")
HORIZON, SERIES = 3, 2
CORES = [
    *((cell, layers, both) for cell in CELLS for layers in (1, 2) for both in (False, True)),
    *((cell, layers, False) for cell in ("mlp", "cnn") for layers in (1, 2)),
]
LENGTHS = [7, 1, 4, 2, 7, 3, 1]


def heads_and_targets() -> tuple[dict[str, Any], dict[str, Any]]:
    """Every head over every pooling that it may have, and what each is to predict."""
    heads: dict[str, Any] = {}
    targets: dict[str, Any] = {}

    def add(name: str, kind: str, target: dict[str, Any], over: str | None, **own: Any) -> None:
        heads[f"{name}_{over or 'step'}"] = {"kind": kind, "dropout": 0.5, **own}
        targets[f"{name}_{over or 'step'}"] = {"per": "sequence" if over else "step", **target}

    for pooling in (None, *POOLINGS):
        for classes in (2, 5):
            add(f"class{classes}", "classification", {"kind": "classes", "size": classes}, pooling, pooling=pooling,
                loss="cross_entropy")
        for loss in ("squared_error", "gaussian"):
            add(f"value_{loss}", "regression", {"kind": "reals", "size": 2}, pooling, pooling=pooling, loss=loss)
    add("labels", "labels", {"kind": "labels", "size": 4}, None, loss="binary_cross_entropy")
    for pooling in POOLINGS:
        for loss in ("gaussian", "quantile"):
            add(loss, "forecast", {"kind": "reals", "size": SERIES}, pooling, pooling=pooling, loss=loss, calibration="none", decoder=None,
                levels=[0.1, 0.25, 0.5, 0.75, 0.9])
    return heads, targets


HEADS, TARGETS = heads_and_targets()
SPEC = make_spec(
    {"x": {"kind": "real", "size": 3, "scale": {"mean": [1.0, -2.0, 0.0], "deviation": [2.0, 1.0, 0.5]}},
     "text": {"kind": "tokens", "size": 6}},
    TARGETS,
    {"horizon": HORIZON},
    layout="items",
    longest=5,              # of the training split: what is read later may be longer
)


def network(cell: str, layers: int, both: bool) -> Network:
    config = ModelConfig.model_validate({
        "inputs": {
            "x": {"kind": "real", "size": None, "dropout": 0.5},
            "text": {"kind": "embedding", "size": 2, "dropout": 0.5},
        },
        "core": core(cell, hidden=4, layers=layers, dropout=0.5, both=both) | ({"window": None} if cell == "mlp" else {}),
        "heads": HEADS,
    })
    made = build(config, SPEC, seed=1)
    draw = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for each in made.parameters():
            if each.requires_grad:
                each.copy_(0.4 * torch.randn(each.shape, generator=draw))
    return made


def data(lengths: list[int], seed: int = 0) -> Sequences:
    """Random steps and targets, as a prepared folder has them."""
    draw = np.random.default_rng(seed)
    steps, count = sum(lengths), len(lengths)
    values: dict[str, Any] = {
        "x": draw.standard_normal((steps, 3)).astype(np.float32) + 1,
        "text": draw.integers(0, 6, steps).astype(np.uint8),
    }
    for name, target in TARGETS.items():
        rows = steps if target["per"] == "step" else count
        ahead = (HORIZON, SERIES) if HEADS[name]["kind"] == "forecast" else (target["size"],)
        match target["kind"]:
            case "classes":
                values[name] = draw.integers(0, target["size"], rows).astype(np.uint8)
            case "labels":
                values[name] = draw.integers(0, 2, (rows, *ahead)).astype(np.uint8)
            case _:
                values[name] = draw.standard_normal((rows, *ahead)).astype(np.float32)
    return sequences(SPEC, values, np.cumsum([0, *lengths]))


def answers(made: Network, given: Sequences, size: int) -> tuple[list[dict[str, np.ndarray]], float]:
    """Of each sequence, in the data's order, what every head says, and what all of it costs."""
    found: dict[int, dict[str, np.ndarray]] = {}
    cost = 0.0
    for batch, predictions, losses in outputs(made, ItemLayout(given, size, seed=None)):
        cost += sum(losses.values())
        for lane, item in enumerate(batch.items):
            if item >= 0:
                found[int(item)] = {
                    name: each[: batch.lengths[lane], lane] if TARGETS[name]["per"] == "step" else each[lane]
                    for name, each in predictions.items()
                }
    return [found[item] for item in range(len(given))], cost


def same(made: Network, given: Sequences, size: int) -> None:
    (together, cost), (alone, costs) = answers(made, given, size), answers(made, given, 1)
    for item, (first, second) in enumerate(zip(together, alone, strict=True)):
        assert set(first) == set(HEADS)
        for name, each in first.items():
            np.testing.assert_allclose(each, second[name], rtol=1e-5, atol=1e-5, err_msg=f"sequence {item}, {name}")
    assert cost == pytest.approx(costs, rel=1e-5)


@pytest.mark.parametrize(("cell", "layers", "both"), CORES)
def test_a_padded_batch_is_each_of_its_sequences_alone(cell, layers, both):
    """All in one batch, and one lane of it empty."""
    same(network(cell, layers, both), data(LENGTHS), len(LENGTHS) + 1)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.sampled_from(CORES), st.lists(st.integers(1, 9), min_size=1, max_size=6), st.integers(2, 7), st.integers(0, 9))
def test_however_long_the_sequences_are_and_however_many_share_a_batch(chosen, lengths, size, seed):
    same(network(*chosen), data(lengths, seed), size)


@pytest.mark.parametrize(("cell", "layers", "both"), CORES)
def test_what_pads_a_batch_is_not_read(cell, layers, both):
    """Not even where it is no number."""
    made = network(cell, layers, both)
    batch = ItemLayout(data(LENGTHS), len(LENGTHS), seed=None).batch(0)
    inputs = {name: torch.from_numpy(each) for name, each in batch.inputs.items()}
    lengths = torch.from_numpy(batch.lengths)
    clean, _ = made(inputs, lengths=lengths)
    padding = torch.arange(len(inputs["x"]))[:, None] >= lengths
    inputs["x"][padding], inputs["text"][padding] = 1e3, 5
    other, _ = made(inputs, lengths=lengths)
    for name, each in clean.items():
        kept = each[~padding] if TARGETS[name]["per"] == "step" else each
        torch.testing.assert_close(other[name][~padding] if TARGETS[name]["per"] == "step" else other[name], kept,
                                   rtol=0, atol=0, msg=lambda text, name=name: f"{name}: {text}")


@pytest.mark.parametrize("name", sorted(HEADS))
def test_gradients_do_not_come_from_padding(name):
    """What a padded batch teaches is what its sequences teach one by one."""
    made, given = network("gru", 2, True), data(LENGTHS)
    taught = []
    for size in (len(LENGTHS) + 1, 1):
        made.zero_grad()
        layout = ItemLayout(given, size, seed=None)
        for index in range(len(layout)):
            batch = layout.batch(index)
            inputs, targets = ({each: torch.from_numpy(part[each]) for each in part}
                               for part in (batch.inputs, batch.targets))
            out, _ = made(inputs, lengths=torch.from_numpy(batch.lengths))
            made.losses(out, {name: targets[name]})[name].backward()
        taught.append(torch.cat([torch.zeros(1) if each.grad is None else each.grad.flatten()
                                 for each in made.parameters()]))
    assert taught[0].abs().sum() > 0
    torch.testing.assert_close(*taught, rtol=1e-4, atol=1e-4)


def test_every_sequence_and_every_step_of_it_is_read_both_ways():
    """The end reaches the first step, the start the last one, through two layers."""
    made, given = network("lstm", 2, True), data([6])
    x = {name: torch.from_numpy(each) for name, each in ItemLayout(given, 1, seed=None).batch(0).inputs.items()}
    before = made(x)[0]["class5_step"]
    for changed in (0, 5):
        moved = {**x, "x": x["x"].clone()}
        moved["x"][changed] += 1
        after = made(moved)[0]["class5_step"]
        assert ((after - before).abs().amax(dim=-1) > 1e-6).all(), changed


@pytest.mark.parametrize(("cell", "layers"), [(cell, layers) for cell, layers, both in CORES if not both])
def test_one_direction_knows_nothing_of_what_comes(cell, layers):
    made, given = network(cell, layers, False), data([6])
    x = {name: torch.from_numpy(each) for name, each in ItemLayout(given, 1, seed=None).batch(0).inputs.items()}
    moved = {**x, "x": x["x"].clone()}
    moved["x"][4] += 1
    before, after = (made(each)[0]["class5_step"] for each in (x, moved))
    assert torch.equal(before[:4], after[:4]) and not torch.equal(before[4], after[4])
