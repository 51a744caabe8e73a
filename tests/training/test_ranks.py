"""Devices, precision and what is said when processes do not meet; real processes are in tests/pipeline/test_ranks.py."""

import os
from types import SimpleNamespace

import pytest
import torch

from tests.conftest import refused
from tests.models.conftest import SPEC, small
from tests.training.conftest import settings, trained
from unroll.models.network import build
from unroll.training.learner import Learner, Sums
from unroll.training.ranks import check_devices, explained


def gpus(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)


def test_more_gpus_than_there_are_names_both_numbers(monkeypatch):
    gpus(monkeypatch, 2)
    for accelerator in ("gpu", "auto"):
        check_devices(settings(accelerator=accelerator, devices=2))
        with refused("no-device", "train.devices", "4 GPUs", "has 2"):
            check_devices(settings(accelerator=accelerator, devices=4))


def test_more_processes_than_processors_are_said_once(monkeypatch, capsys):
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    gpus(monkeypatch, 0)
    check_devices(settings(devices=2))
    assert capsys.readouterr().out == ""
    check_devices(settings(devices=4))
    assert capsys.readouterr().out.startswith("train: 4 processes share 2 processors")
    monkeypatch.setenv("LOCAL_RANK", "1")
    check_devices(settings(devices=4))
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("accelerator", ["cpu", "auto"])
def test_half_precision_needs_a_gpu(monkeypatch, accelerator):
    gpus(monkeypatch, 0)
    with refused("no-device", "train.precision"):
        check_devices(settings(accelerator=accelerator, precision="16-mixed"))


@pytest.mark.parametrize(("error", "code", "words"), [
    (RuntimeError("[/a/gloo/transport/tcp/pair.cc:553] Connection closed by peer [::1]:4"),
     "process", "(Connection closed by peer [::1]:4)."),
    (RuntimeError("Gloo connectFullMesh failed with [/a/gloo/pair.cc:15] timed out"),
     "network", "(Gloo connectFullMesh failed with timed out). On several machines, name"),
    (torch.distributed.DistBackendError("NCCL error: unhandled system error"), "process", "(NCCL"),
])
def test_what_libraries_say_of_lost_processes_becomes_one_line(error, code, words):
    with refused(code, "train", words), explained(settings(devices=2), 1):
        raise error


def test_other_errors_stay_what_they_are():
    with pytest.raises(RuntimeError, match="a mistake of ours"), explained(settings(devices=2), 1):
        raise RuntimeError("a mistake of ours")
    with pytest.raises(RuntimeError, match="gloo"), explained(settings(), 1):
        raise RuntimeError("gloo, where there is but one process")


def test_bfloat16_learns_nearly_the_same(stream, tmp_path):
    plain, half = (trained(stream, tmp_path / name, settings(epochs=2, precision=name))[1] for name in ("32-true", "bf16-mixed"))
    assert half.best["loss"] != plain.best["loss"]
    assert half.best["loss"] == pytest.approx(plain.best["loss"], rel=0.01)


def test_cublas_is_told_to_be_deterministic_before_it_starts(stream, tmp_path, monkeypatch):
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", "")
    trained(stream, tmp_path, settings(max_steps=1))
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":16:8"


class Cut:
    """What a process that dies while it hands over a batch leaves to the one that takes it."""

    def __reduce__(self):
        return cut, ()


def cut():
    raise ConnectionResetError(104, "Connection reset by peer")


def test_a_loader_that_dies_while_it_hands_over_a_batch_is_one_line():
    loader = torch.utils.data.DataLoader([0], num_workers=1, collate_fn=lambda _: Cut())
    with refused("process", "train", "a process that reads batches", "reset by peer"), explained(settings(), 1):
        next(iter(loader))
    with pytest.raises(ConnectionResetError), explained(settings(), 1):
        cut()


def test_ranks_add_their_losses_on_their_own_device(monkeypatch):
    """NCCL refuses a tensor of the CPU; "meta" stands for a GPU."""
    learner = Learner(build(small("gru"), SPEC, 1), settings(), 1, {}).to("meta")
    summed, logged = [], {}

    def reduce(tensor, reduce_op):
        summed.append((tensor.device.type, tensor.dtype, reduce_op))
        return torch.tensor([6.0], dtype=torch.float64)

    learner._trainer = SimpleNamespace(strategy=SimpleNamespace(reduce=reduce))
    monkeypatch.setattr(learner, "log", lambda name, value, **_: logged.update({name: value}))
    learner._validated = {"text": Sums(3.0, 2, torch.zeros(0))}
    learner.on_validation_epoch_end()
    assert summed == [("meta", torch.float64, "sum")]
    assert logged["val/loss"].dtype == torch.float64 and logged["val/loss"] == 3
