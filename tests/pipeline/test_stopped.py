"""Real processes, really killed."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

from benchmarks.chaos import OVERRIDES, chaos, outputs
from tests.conftest import REPOSITORY
from tests.forks import forked
from tests.pipeline.conftest import finish, freeze, start
from unroll.base.workspace import Workspace
from unroll.compose import compose
from unroll.stages.pipeline import run_stages


def child(arguments: list[str], root: Path) -> tuple[int, str]:
    return forked("from benchmarks.chaos import main; main()", *arguments, cwd=REPOSITORY, path=[REPOSITORY / "src", REPOSITORY],
                  environment={"DVC_ROOT": str(root)})


def test_killed_anywhere_a_training_ends_in_the_same_bytes(tmp_path: Path) -> None:
    """In a step, in a checkpoint, in an output; `python benchmarks/chaos.py` does so fifty times."""
    assert chaos(tmp_path, kills=3, seed=2, start=child) == {
        "trainings": 2, "identical": 2, "checkpoints lost": 0, "kills": {"checkpoint": 1, "output": 1, "step": 1},
    }


def test_a_termination_is_a_failure_to_dvc_and_leaves_no_output(tmp_path: Path) -> None:
    text, _ = compose(REPOSITORY / "conf", [*OVERRIDES, "train.epochs=99", "train.max_steps=null"])
    (tmp_path / "params.yaml").write_text(text, encoding="utf-8")
    run_stages(("prepare",), Workspace(REPOSITORY, tmp_path))
    environment = {**os.environ, "DVC_ROOT": str(tmp_path), "PYTHONPATH": "src"}
    command = [sys.executable, "-m", "unroll", "train", "--root", str(tmp_path)]
    with subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 60
        while not list(tmp_path.glob(".unroll/**/step-*")) and time.monotonic() < deadline:
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 143
    assert outputs(tmp_path) == {}
    assert list(tmp_path.glob(".unroll/**/step-*"))


def test_a_loader_that_is_killed_is_one_line_and_a_restart_goes_on(alone: Path, tmp_path: Path) -> None:
    root = freeze(tmp_path / "root", "runtime.workers=2")
    shutil.copytree(alone / "data", root / "data")
    process = start(root)
    while not list((root / ".unroll").rglob("step-*")):
        assert process.poll() is None
        time.sleep(0.02)
    loaders = [each for each in psutil.Process(process.pid).children() if "resource_tracker" not in " ".join(each.cmdline())]
    loaders[0].kill()
    *_, said = finish(process, 2).splitlines()
    assert said.startswith("unroll: train: ") and said.rstrip().endswith("[process]") and outputs(root) == {}
    assert "train: going on from" in finish(start(root))
    assert outputs(root) == outputs(alone)
