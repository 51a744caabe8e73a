"""Trainings in several processes, started as a user starts them."""

import csv
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
import yaml
from safetensors.numpy import load_file

from benchmarks.chaos import outputs
from tests.data.conftest import dealt, npz, written
from tests.pipeline.conftest import finish, freeze, several, start

pytestmark = pytest.mark.long


def losses(root: Path, column: str = "loss") -> list[float]:
    with (root / "plots" / "train.csv").open() as file:
        return [float(row[column]) for row in csv.DictReader(file)]


@pytest.mark.parametrize("processes", [2, 4])
def test_they_learn_what_one_learns(alone, request, tmp_path, processes):
    """With dropout and two batches to a step; sums over ranks are rounded in another order."""
    root = request.getfixturevalue("pair") if processes == 2 else several(processes, alone, tmp_path)
    assert losses(root) == pytest.approx(losses(alone), rel=1e-5) and len(losses(root)) == 200
    one, many = (load_file(each / "artifacts" / "model" / "model.safetensors") for each in (alone, root))
    assert all(abs(one[name] - many[name]).max() < 1e-4 for name in one)


def partly_known(root: Path, devices: int) -> Path:
    """Two targets, each known at some of the steps of sequences that reach over several batches."""
    draw = np.random.default_rng(0)
    pieces = []
    for _ in range(60):
        length = int(draw.integers(1, 40))
        y, tag = draw.standard_normal((length, 3)), draw.choice(["a", "b", "c"], length)
        y[draw.random(y.shape) < 0.6] = np.nan
        tag[draw.random(length) < 0.7] = ""
        pieces.append({"x": draw.standard_normal((length, 2)), "y": y, "tag": tag})
    data = npz("y", "values").model_copy(update={"targets": {"y": "values", "tag": "tag"}})
    freeze(root, f"train.devices={devices}", "train.bptt=8", "train.batch_size=8", "train.max_steps=200",
           "train.epochs=100", "train.log_steps=1", "train.accumulate=2", "train.monitor=loss")
    params = yaml.safe_load((root / "params.yaml").read_text(encoding="utf-8"))
    params["data"] = data.model_dump(mode="json")
    params["model"]["inputs"] = {"x": {"kind": "real", "size": None, "dropout": 0.1}}
    params["model"]["heads"] = {
        "y": {"kind": "regression", "loss": "squared_error", "pooling": None, "dropout": 0.1},
        "tag": {"kind": "classification", "loss": "cross_entropy", "pooling": None, "dropout": 0.1},
    }
    params["train"] |= {"weights": {"tag": 0.5}, "monitor": "y/loss"}
    (root / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    written(root / "data", data, dealt(pieces))
    finish(start(root))
    return root


def test_several_targets_known_in_part_are_learnt_by_any_number_of_processes(tmp_path):
    one, *many = (partly_known(tmp_path / str(devices), devices) for devices in (1, 2, 4))
    assert len(losses(one)) == 200
    for root in many:
        for column in ("loss", "y/loss", "tag/loss"):
            expected = np.array(losses(one, column))
            known = ~np.isnan(expected)
            np.testing.assert_allclose(np.array(losses(root, column))[known], expected[known], rtol=1e-5)


@pytest.fixture
def going(alone: Path, tmp_path: Path) -> tuple[Path, subprocess.Popen[str]]:
    """Two processes that have saved a checkpoint."""
    root = freeze(tmp_path / "root", "train.devices=2")
    shutil.copytree(alone / "data", root / "data")
    process = start(root)
    deadline = time.monotonic() + 90
    while not list((root / ".unroll").rglob("step-*")):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    return root, process


@pytest.mark.parametrize("which", [0, 1])
def test_when_one_is_killed_none_is_left_and_a_restart_goes_on(pair, going, which):
    root, first = going
    family = [psutil.Process(first.pid), *psutil.Process(first.pid).children()]
    assert len(family) == 2
    family[which].kill()
    said = first.communicate(timeout=60)[0]
    assert first.returncode != 0 and outputs(root) == {}, said
    assert psutil.wait_procs(family, timeout=60)[1] == []
    assert "train: going on from" in finish(start(root))
    assert outputs(root) == outputs(pair)


def test_terminated_they_end_and_one_goes_on_alone(alone, going):
    root, first = going
    family = psutil.Process(first.pid).children()
    first.send_signal(signal.SIGTERM)
    finish(first, 143)
    assert psutil.wait_procs(family, timeout=10)[1] == []
    freeze(root)
    assert "train: the checkpoint is from 2 devices, this is 1: equal up to rounding" in finish(start(root))
    assert losses(root) == pytest.approx(losses(alone), rel=1e-5) and len(losses(root)) == 200


# ------------------------------------------------------------------------------------------------ from machine to machine


def rendezvous() -> dict[str, object]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": free.getsockname()[1]}


@pytest.mark.parametrize(("node", "who", "code"), [(0, "unroll: train: ", "process"),
                                                   (1, "unroll, process 1: train: ", "network")])
def test_a_machine_that_never_comes_is_waited_for_so_long(alone, tmp_path, node, who, code):
    root = freeze(tmp_path / "root", "train.num_nodes=2", "runtime.wait_minutes=0.05")
    shutil.copytree(alone / "data", root / "data")
    where = rendezvous()
    lines = finish(start(root, NODE_RANK=node, **where), 2).splitlines()
    assert len([line for line in lines if "unroll" in line]) == 1, lines
    assert lines[-1].startswith(who) and lines[-1].endswith(f"[{code}]"), lines
    assert f"127.0.0.1:{where['MASTER_PORT']}" in lines[-1]


def test_machines_that_share_no_checkpoints_are_told_to(alone, going, tmp_path):
    root, first = going
    first.kill()
    first.communicate()
    freeze(root, "train.num_nodes=2")
    other = freeze(tmp_path / "other", "train.num_nodes=2")
    shutil.copytree(alone / "data", other / "data")
    where = rendezvous()
    processes = [start(each, NODE_RANK=node, **where) for node, each in enumerate((root, other))]
    said = finish(processes[0], 2)
    assert "unroll: train: the processes would resume from different steps" in said and "[conflict]" in said
    finish(processes[1], 2)
