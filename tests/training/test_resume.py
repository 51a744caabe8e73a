"""A training that was stopped and goes on ends as one that was not, to the last bit."""

import hashlib
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.conftest import refused
from tests.models.conftest import small
from tests.training.conftest import QUIET, settings, trained, weights
from unroll.config.runtime import CheckpointConfig
from unroll.training.fit import Result, Watch

EVERY = CheckpointConfig(steps=1, minutes=None)
ADAM: dict[str, Any] = {
    "learning_rate": 0.02, "optimizer": {"kind": "adamw", "beta1": 0.9, "beta2": 0.99, "weight_decay": 0.1},
    "schedule": {"kind": "cosine", "warmup_steps": 3, "final_fraction": 0.1}, "clip_norm": 0.5,
}
FOUR = {"bptt": 64}     # steps an epoch


class Stopped(Exception):
    """As good as a kill: nothing is tidied up."""


def stopping(step: int) -> Watch:
    def stop(curve, row):
        if curve == "train" and row["step"] == step:
            raise Stopped

    return Watch(stop, QUIET.network, progress=False)


def outcome(network, result: Result):
    figures = {name: value for name, value in vars(result).items() if name != "seconds"}
    return {name: each.numpy().tobytes() for name, each in weights(network).items()}, figures


def dropping(cell: str):
    return small(cell, layers=2, dropout=(0.2, 0.2, 0.2))


def states(folder: Path) -> list[Path]:
    return sorted(folder.glob("step-*/state"))


@pytest.mark.parametrize("changes", [
    {"epochs": 2, "bptt": 64, "accumulate": 3}, {"epochs": 4, "bptt": 999},
    {"epochs": 1, "bptt": 64, "precision": "bf16-mixed"}, {"epochs": 2, "bptt": 64, "validate_steps": 3}, {"epochs": 3, "bptt": 64, "validate_steps": 2, "max_steps": 9},
], ids=str)
def test_stopped_at_any_step_it_ends_the_same(stream, tmp_path, changes):
    config, model = settings(**ADAM, **changes), dropping("gru")
    expected = outcome(*trained(stream, tmp_path / "whole", config, model))
    for step in range(1, expected[1]["steps"] + 1):
        with pytest.raises(Stopped):
            trained(stream, tmp_path / str(step), config, model, watch=stopping(step), saving=EVERY)
        again = outcome(*trained(stream, tmp_path / str(step), config, model, saving=EVERY))
        assert again == expected, f"stopped at step {step}"


@pytest.mark.parametrize("cell", ["rnn-tanh", "lstm"])
def test_every_cell_with_workers_and_stopped_twice(stream, tmp_path, cell):
    config, model = settings(**ADAM, epochs=3, log_steps=3, **FOUR), dropping(cell)
    expected = outcome(*trained(stream, tmp_path / "whole", config, model))
    for step, workers in ((3, 0), (9, 1)):
        with pytest.raises(Stopped):
            trained(stream, tmp_path, config, model, workers, stopping(step), EVERY)
    assert outcome(*trained(stream, tmp_path, config, model, saving=EVERY)) == expected


def test_items_are_met_in_the_same_order(lines, tmp_path):
    config, model = settings(**ADAM, epochs=2), dropping("gru")
    expected = outcome(*trained(lines, tmp_path / "whole", config, model))
    for step in (3, expected[1]["steps"] - 2):
        with pytest.raises(Stopped):
            trained(lines, tmp_path, config, model, watch=stopping(step), saving=EVERY)
    assert outcome(*trained(lines, tmp_path, config, model, saving=EVERY)) == expected


def test_patience_is_remembered(stream, tmp_path):
    config = settings(epochs=30, patience=2, learning_rate=1e-9, **FOUR)
    expected = outcome(*trained(stream, tmp_path / "whole", config))
    assert expected[1]["steps"] < 60, "patience had no part in it"
    with pytest.raises(Stopped):
        trained(stream, tmp_path, config, watch=stopping(expected[1]["steps"] - 1), saving=EVERY)
    assert outcome(*trained(stream, tmp_path, config, saving=EVERY)) == expected


def test_rows_are_reported_once_more(stream, tmp_path):
    heard: list[Any] = []
    config = settings(epochs=2, **FOUR)
    with pytest.raises(Stopped):
        trained(stream, tmp_path, config, watch=stopping(6), saving=EVERY)
    watch = Watch(lambda *row: heard.append(row), QUIET.network, progress=False)
    _, result = trained(stream, tmp_path, config, watch=watch, saving=EVERY)
    assert [row for curve, row in heard if curve == "train"] == result.curves["train"]
    assert [row for curve, row in heard if curve == "validation"] == result.curves["validation"]


def test_minutes_save_too(stream, tmp_path):
    with pytest.raises(Stopped):
        trained(stream, tmp_path, settings(epochs=2, **FOUR), watch=stopping(5),
                saving=CheckpointConfig(steps=None, minutes=1e-6))
    assert [file.parent.name for file in states(tmp_path)] == ["step-000000003", "step-000000004"]


# ------------------------------------------------------------------------------------------------- what is not whole


@pytest.fixture
def stopped(stream, tmp_path) -> Iterator[Any]:
    """Stopped at the sixth of eight steps; and what it takes to go on."""
    config = settings(**ADAM, epochs=2, **FOUR)
    with pytest.raises(Stopped):
        trained(stream, tmp_path, config, watch=stopping(6), saving=EVERY)
    yield lambda: trained(stream, tmp_path, config, saving=EVERY)


@pytest.fixture
def whole(stream, tmp_path):
    return outcome(*trained(stream, tmp_path / "whole", settings(**ADAM, epochs=2, **FOUR)))


def test_the_last_two_are_kept(stopped, tmp_path):
    assert [file.parent.name for file in states(tmp_path)] == ["step-000000004", "step-000000005"]


@pytest.mark.parametrize("damage", [lambda data: data[:-9], lambda data: b"", lambda data: data[:99] + b"!" + data[100:]])
def test_a_damaged_checkpoint_is_said_and_the_one_before_it_is_used(stopped, whole, tmp_path, capsys, damage):
    newest = states(tmp_path)[-1]
    newest.write_bytes(damage(newest.read_bytes()))
    assert outcome(*stopped()) == whole
    said = capsys.readouterr().out
    assert "train: step-000000005 is damaged (its content is not what was written)" in said
    assert f"going on from {tmp_path / 'step-000000004'}" in said


def test_damaged_best_weights_are_damage(stopped, whole, tmp_path, capsys):
    best = states(tmp_path)[-1].with_name("best.safetensors")
    content = best.read_bytes()
    best.unlink()       # a name of its own for the damage
    best.write_bytes(content[:-9] + b"!" + content[-8:])        # well-formed still
    assert outcome(*stopped()) == whole
    assert "step-000000005 is damaged" in capsys.readouterr().out


def test_without_a_whole_checkpoint_it_begins_again(stopped, whole, tmp_path, capsys):
    for file in states(tmp_path):
        file.write_bytes(b"")
    assert outcome(*stopped()) == whole
    assert "going on from /" not in capsys.readouterr().out


def test_beginning_again_it_keeps_what_it_saves(stopped, stream, tmp_path):
    """Though what is damaged was further."""
    for file in states(tmp_path):
        file.write_bytes(b"")
    config = settings(**ADAM, epochs=2, **FOUR)
    with pytest.raises(Stopped):
        trained(stream, tmp_path, config, watch=stopping(3), saving=EVERY)
    assert [file.parent.name for file in states(tmp_path)] == ["step-000000001", "step-000000002"]


def test_a_strategy_for_many_devices_on_one(stream, tmp_path):
    config = settings(**ADAM, epochs=2, strategy="ddp", **FOUR)
    expected = outcome(*trained(stream, tmp_path / "whole", config))
    with pytest.raises(Stopped):
        trained(stream, tmp_path, config, watch=stopping(6), saving=EVERY)
    assert outcome(*trained(stream, tmp_path, config, saving=EVERY)) == expected


def test_what_a_killed_process_left_half_written_goes(stopped, tmp_path):
    left = tmp_path / ".step-000000009.999999999.partial"
    left.mkdir()
    stopped()
    assert not left.exists()


class Code:
    def __reduce__(self):
        return os.system, ("touch run-by-a-checkpoint",)


@pytest.mark.parametrize(("content", "code"), [
    ({"format": 1, "key": "key", "training": Code()}, "damaged"),
    ({"format": 2, "key": "key", "training": {}}, "wrong-version"),
    ({"format": 1, "key": "other", "training": {}}, "stale"),
])
def test_a_checkpoint_from_elsewhere_is_refused_in_one_line(stopped, tmp_path, content, code):
    written = io.BytesIO()
    torch.save(content, written)
    data = written.getvalue()
    newest = states(tmp_path)[-1]
    head = newest.read_bytes().split(b" ")[1].split(b"\n")[0]
    newest.write_bytes(hashlib.sha256(data).hexdigest().encode() + b" " + head + b"\n" + data)
    with refused(code, newest, f"Remove {tmp_path}"):
        stopped()
    assert not Path("run-by-a-checkpoint").exists()
