"""Several targets, of which some values are unknown: the training against sums by hand, a sequence at a time."""

from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from tests.data.conftest import dealt, npz, written
from tests.models.conftest import core
from tests.training.conftest import settings, trained
from tests.training.test_resume import EVERY, Stopped, outcome, stopping
from unroll.config.model import ModelConfig
from unroll.config.objective import Objective
from unroll.data.batches import ItemLayout
from unroll.data.store import Prepared
from unroll.models.network import Network, build

LENGTHS = [9, 4, 12, 1, 7, 3, 11, 2, 6, 5, 8, 10, 3, 6, 7, 9]
WEIGHTS = {"tag": 0.5, "y": 2.0}
HEADS = {
    "tag": {"kind": "classification", "loss": "cross_entropy", "pooling": None, "dropout": 0.0},
    "y": {"kind": "regression", "loss": "squared_error", "pooling": None, "dropout": 0.0},
    "label": {"kind": "classification", "loss": "cross_entropy", "pooling": "last", "dropout": 0.0},
}


def pieces() -> list[dict[str, Any]]:
    draw = np.random.default_rng(0)
    made = []
    for number, length in enumerate(LENGTHS):
        y = draw.standard_normal((length, 3))
        y[draw.random(y.shape) < 0.4] = np.nan
        tag = np.where(draw.random(length) < 0.5, "", draw.choice(["a", "b", "c"], length))
        made.append({"x": draw.standard_normal((length, 2)), "y": y, "tag": tag,
                     "label": "" if number % 3 == 1 else "pq"[number % 2]})
    return made


def prepared_of(folder: Any, targets: dict[str, str]) -> Prepared:
    config = npz("y", "values").model_copy(update={"targets": targets})
    kept = [{name: piece[name] for name in ("x", *targets)} for piece in pieces()]
    return written(folder / "data", config, dealt(kept))


def model_of(targets: dict[str, str]) -> ModelConfig:
    return ModelConfig.model_validate({
        "inputs": {"x": {"kind": "real", "size": None, "dropout": 0.0}}, "core": core("gru"),
        "heads": {name: HEADS[name] for name in targets},
    })


def sums(network: Network, prepared: Prepared, split: str, items: Any, first: int, last: int | None,
         states: dict[int, Any]) -> dict[str, tuple[Any, float]]:
    """The loss and the count of each target over steps [first, last) of these sequences, each read alone."""
    found: dict[str, tuple[Any, float]] = {}
    offsets = prepared.offsets(split)
    scale = {name: prepared.spec.targets[name].scale for name in prepared.spec.targets}
    read = prepared.spec.inputs["x"].scale
    for item in items:
        start, stop = offsets[item : item + 2].tolist()
        rows = slice(start + first, stop if last is None else min(start + last, stop))
        if rows.start >= rows.stop:
            continue
        x = (np.asarray(prepared.values("x", split))[rows] - np.array(read.mean)) / np.array(read.deviation)
        outputs, after = network({"x": torch.tensor(x, dtype=torch.float32)[:, None]}, states.get(int(item)))
        states[int(item)] = [tuple(part.detach() for part in layer) for layer in after]
        for name in prepared.spec.targets:
            values, holes = np.asarray(prepared.values(name, split)), prepared.holes(name, split)
            place = rows if prepared.spec.targets[name].per == "step" else slice(item, item + 1)
            values, known = values[place], torch.from_numpy(np.asarray(holes.known[place]))
            out = outputs[name][:, 0] if outputs[name].dim() == 3 else outputs[name]
            if scale[name] is None:
                total = cross_entropy(_logits(out)[known], torch.from_numpy(values.astype(np.int64))[known], reduction="sum")
                count = float(known.sum())
            else:
                truth = (values - np.array(scale[name].mean)) / np.array(scale[name].deviation)
                errors = (out - torch.tensor(truth, dtype=torch.float32)) ** 2
                total, count = errors[known].sum() / 3, float(known.sum()) / 3
            before = found.get(name, (0.0, 0.0))
            found[name] = before[0] + total, before[1] + count
    return found


def _logits(out: torch.Tensor) -> torch.Tensor:
    return out if out.shape[-1] > 1 else torch.cat([torch.zeros_like(out), out], dim=-1)


def groups_of(prepared: Prepared, size: int, seed: int, epoch: int) -> list[list[int]]:
    """Which sequences share lanes, from the batches of whole sequences."""
    layout = ItemLayout(prepared.sequences("train"), size, seed)
    return [[item for item in layout.batch(at, epoch).items.tolist() if item >= 0] for at in range(len(layout))]


@pytest.mark.parametrize(("targets", "bptt", "accumulate"), [
    ({"y": "values", "tag": "tag"}, 100, 1),
    ({"y": "values", "tag": "tag"}, 4, 1),
    ({"y": "values", "tag": "tag"}, 4, 3),
    ({"y": "values", "tag": "tag", "label": "class"}, 4, 2),
], ids=["whole", "chunks", "accumulated chunks", "a class of the whole"])
def test_losses_follow_what_is_known(tmp_path, targets, bptt, accumulate):
    prepared, model = prepared_of(tmp_path, targets), model_of(targets)
    weights = {name: weight for name, weight in WEIGHTS.items() if name in targets}
    config = settings(bptt=bptt, accumulate=accumulate, batch_size=4, epochs=2, learning_rate=0.1, weights=weights)
    _, result = trained(prepared, tmp_path / "work", config, model)

    own = build(model, prepared.spec, config.seed)
    rows = []
    for epoch in range(2):
        # a batch is a stretch of a group of sequences
        batches = []
        for items in groups_of(prepared, 4, config.seed, epoch):
            longest = max(int(np.diff(prepared.offsets("train"))[item]) for item in items)
            step = longest if "label" in targets else bptt
            states: dict[int, Any] = {}
            batches += [(items, at, at + step, states) for at in range(0, longest, step)]
        for at in range(0, len(batches), accumulate):
            own.zero_grad()
            parts = []
            for items, first, last, states in batches[at : at + accumulate]:
                parts.append(sums(own, prepared, "train", items, first, last, states))
            total: dict[str, Any] = {}
            for part in parts:
                for name, (loss, count) in part.items():
                    before = total.get(name, (0.0, 0.0))
                    total[name] = before[0] + loss, before[1] + count
            means = {name: loss / count for name, (loss, count) in total.items() if count}
            loss = sum(weights.get(name, 1.0) * mean for name, mean in means.items())
            loss.backward()
            rows.append({"loss": loss.item(), **{f"{name}/loss": mean.item() for name, mean in means.items()}})
            with torch.no_grad():
                for parameter in own.parameters():
                    if parameter.grad is not None and parameter.requires_grad:
                        parameter -= config.learning_rate * parameter.grad
        with torch.no_grad():
            found = sums(own, prepared, "validation", [0, 1], 0, None, {})
        mean = {name: float(loss) / count for name, (loss, count) in found.items()}
        validated = result.curves["validation"][epoch]
        assert {name: validated[f"{name}/loss"] for name in targets} == pytest.approx(mean, rel=1e-4)
        assert validated["loss"] == pytest.approx(sum(weights.get(name, 1.0) * mean[name] for name in mean), rel=1e-4)
    assert len(result.curves["train"]) == len(rows)
    for row, expected in zip(result.curves["train"], rows, strict=True):
        assert {name: row[name] for name in expected} == pytest.approx(expected, rel=1e-4)


def test_a_target_of_weight_0_changes_nothing_but_its_own_head(tmp_path):
    targets = {"y": "values", "tag": "tag"}
    prepared, model = prepared_of(tmp_path, targets), model_of(targets)
    before = build(model, prepared.spec, 1).state_dict()
    network, _ = trained(prepared, tmp_path / "work", settings(batch_size=4, weights={"tag": 0.0}), model)
    after = network.state_dict()
    assert torch.equal(before["heads.tag.output.weight"], after["heads.tag.output.weight"])
    assert not torch.equal(before["heads.y.output.weight"], after["heads.y.output.weight"])


def test_the_best_weights_are_those_of_the_monitor(tmp_path):
    targets = {"y": "values", "tag": "tag"}
    prepared, model = prepared_of(tmp_path, targets), model_of(targets)
    goal = Objective("tag/accuracy", True, "tag")
    _, result = trained(prepared, tmp_path / "work", settings(batch_size=4, epochs=6), model, goal=goal)
    values = [row["tag/accuracy"] for row in result.curves["validation"]]
    assert len({*values}) > 1
    first = values.index(max(values))       # the first of equal ones
    assert result.best == {name: value for name, value in result.curves["validation"][first].items() if name != "step"}


@pytest.mark.parametrize("targets", [{"y": "values", "tag": "tag"}, {"y": "values", "label": "class"}], ids=str)
def test_stopped_between_the_chunks_of_its_sequences_it_ends_the_same(tmp_path, targets):
    prepared, model = prepared_of(tmp_path, targets), model_of(targets)
    config = settings(bptt=4, batch_size=4, accumulate=2, epochs=2, validate_steps=2, patience=50)
    expected = outcome(*trained(prepared, tmp_path / "whole", config, model))
    for step in range(1, expected[1]["steps"] + 1):
        with pytest.raises(Stopped):
            trained(prepared, tmp_path / str(step), config, model, watch=stopping(step), saving=EVERY)
        assert outcome(*trained(prepared, tmp_path / str(step), config, model, saving=EVERY)) == expected, step
