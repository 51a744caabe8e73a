"""How many jobs run at once, on what, and that none outlives its pool."""

import os
import sys
import time
from dataclasses import replace

import psutil
import pytest

from tests.conftest import REPOSITORY, refused
from tests.jobs.conftest import make
from unroll.jobs import pool
from unroll.jobs.pool import LocalPool


@pytest.fixture(autouse=True)
def sleepers(monkeypatch):
    """Processes that only wait, on a machine of four cores without accelerators."""
    monkeypatch.setattr(pool, "command", lambda job, project: [sys.executable, "-c", "import time; time.sleep(60)"])
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3})
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")


def started(places: LocalPool, *jobs) -> int:
    """How many there was room for."""
    for number, job in enumerate(jobs):
        if not places.room(job.config.train):
            return number
        places.start(job)
    return len(jobs)


@pytest.mark.parametrize(("limit", "threads", "devices", "expected"), [
    (None, 1, 1, 4), (None, 2, 1, 2), (None, 1, 2, 2), (None, 3, 1, 1), (None, 8, 1, 1),
    (3, 1, 1, 3), (3, 2, 1, 3), (1, 1, 1, 1),
])
def test_as_many_run_as_cores_have_threads_for_or_as_was_asked(tmp_path, limit, threads, devices, expected):
    job = make(tmp_path, f"train.threads={threads}", f"train.devices={devices}")
    jobs = [replace(job, root=tmp_path / str(number)) for number in range(5)]
    with LocalPool(REPOSITORY, limit) as places:
        assert started(places, *jobs) == expected


def visible(places: LocalPool, job) -> str:
    """What the process of a job was told."""
    process = psutil.Process(places._running[job].process.pid)
    while not (found := process.environ()):     # empty for a moment, while the process becomes another program
        time.sleep(0.01)
    return found["CUDA_VISIBLE_DEVICES"]


def test_each_has_an_accelerator_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,GPU-7")
    jobs = [make(tmp_path, f"train.seed={seed}", "train.accelerator=gpu") for seed in range(3)]
    with LocalPool(REPOSITORY, None) as places:
        assert started(places, *jobs) == 2
        assert [visible(places, job) for job in jobs[:2]] == ["3", "GPU-7"]
        places.stop(jobs[0])
        places.start(jobs[2])
        assert visible(places, jobs[2]) == "3"


def test_more_accelerators_than_there_are_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    job = make(tmp_path, "train.accelerator=auto", "train.devices=2")
    with LocalPool(REPOSITORY, None) as places, refused("no-device", "train.devices", "2 accelerators per job"):
        places.room(job.config.train)


def test_none_is_left_when_the_pool_is_left(tmp_path):
    with pytest.raises(KeyboardInterrupt), LocalPool(REPOSITORY, 2) as places:
        started(places, make(tmp_path), make(tmp_path, "train.seed=2"))
        processes = [psutil.Process(each.process.pid) for each in places._running.values()]
        raise KeyboardInterrupt
    assert psutil.wait_procs(processes, timeout=5)[1] == []


def test_one_that_ends_is_named_once_with_its_code(tmp_path, monkeypatch):
    monkeypatch.setattr(pool, "command", lambda job, project: [sys.executable, "-c", "raise SystemExit(3)"])
    job = make(tmp_path)
    with LocalPool(REPOSITORY, None) as places:
        places.start(job)
        deadline = time.monotonic() + 20
        while not (done := places.ended()):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert done == [(job, 3)] and places.ended() == []
