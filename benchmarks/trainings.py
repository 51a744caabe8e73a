"""Trainings for benchmarks, each in a process and a root of its own; run as a program, such a process.

    python -m benchmarks.trainings HOW ROOT

HOW is `plain`; `whole`, which prepares first; `bare`, the loop of benchmarks/bare.py; or `gloo`, one of several
processes that share a device. The last line printed is the seconds per step.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from benchmarks import bare
from benchmarks.overhead import ROWS, timed
from unroll.base.workspace import Workspace
from unroll.compose import compose
from unroll.config.load import load
from unroll.data.store import open_prepared
from unroll.stages.pipeline import run_stages

PROJECT = Path(__file__).parent.parent
QUIET = ["runtime.progress=false", "runtime.tracking.enabled=false"]
DEEP = ["model.core.num_layers=2", "model.core.dropout=0.2"]
TEXT = [*QUIET, *DEEP, "train.threads=1", "train.epochs=99", f"train.log_steps={ROWS}"]
T = TypeVar("T")
R = TypeVar("R")


def freeze(root: Path, *overrides: str) -> Path:
    root.mkdir(exist_ok=True)
    (root / "params.yaml").write_text(compose(PROJECT / "conf", overrides)[0], encoding="utf-8")
    return root


def training(root: Path, chosen: argparse.Namespace, name: str, *overrides: str) -> Path:
    """A root of its own on the prepared text of `root`, for a training that validates halfway and at the end."""
    limits = [f"train.max_steps={chosen.steps}", f"train.validate_steps={max(chosen.steps // 2, 1)}"]
    own = freeze(root / name.replace(" ", "_"), *TEXT, f"train.accelerator={chosen.accelerator}", *limits, *overrides)
    if not (own / "data").exists():
        (own / "data").symlink_to(root / "data")
    return own


def start(root: Path, how: str = "plain", **variables: str) -> "subprocess.Popen[str]":
    path = os.pathsep.join(["src", *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.Popen([sys.executable, "-m", "benchmarks.trainings", how, str(root)], cwd=PROJECT, text=True,
                            env=os.environ | {"PYTHONPATH": path, "DVC_ROOT": str(root)} | variables,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def finish(process: "subprocess.Popen[str]") -> str:
    """What it printed; raises `RuntimeError` with its last line of standard error when it failed."""
    printed, errors = process.communicate()
    if process.returncode:
        raise RuntimeError(f"exit code {process.returncode}: {(errors.strip() or '-').splitlines()[-1]}")
    return printed


def run(root: Path, how: str = "plain") -> str:
    return finish(start(root, how))


def side_by_side(function: Callable[[T], R], of: Iterable[T]) -> list[R]:
    with ThreadPoolExecutor(max(1, 3 * (os.cpu_count() or 1) // 4)) as threads:
        return list(threads.map(function, of))


def apart(one: Path, other: Path) -> float:
    """Largest relative difference between the losses of two trainings."""
    before, after = (np.array([float(line.split(",")[1]) for line in (own / "plots" / "train.csv").open()
                               if line[0].isdigit()]) for own in (one, other))
    return float(np.max(np.abs(before - after) / before))


def seconds_a_step(printed: str) -> float:
    return float(printed.splitlines()[-1])


def child(how: str, root: Path) -> None:
    times: list[float] = [0.0]
    if how == "bare":
        config = load(root / "params.yaml")
        device = "cuda" if config.train.accelerator == "gpu" else "cpu"
        bare.train(open_prepared(root / "data" / "prepared"), config.model, config.train, times, device)
        rows = times[ROWS::ROWS]    # after the first entry, those at which the bare loop waits for the device
        print((rows[-1] - rows[0]) / (ROWS * (len(rows) - 1)))
        return
    if how == "gloo":       # NCCL refuses two processes on one device
        from lightning.pytorch.strategies import DDPStrategy

        from unroll.training import fit

        def over_gloo(config: Any, wait_minutes: float) -> Any:
            return DDPStrategy(process_group_backend="gloo") if config.num_nodes > 1 else "auto"

        fit.make_strategy = over_gloo   # type: ignore[attr-defined]
    if how == "whole":
        run_stages(("prepare",), Workspace(PROJECT, root))
    with timed(times):
        run_stages(("train",), Workspace(PROJECT, root))
    if len(times) > 2:
        print((times[-1] - times[1]) / (ROWS * (len(times) - 2)))


if __name__ == "__main__":
    child(sys.argv[1], Path(sys.argv[2]))
