"""Trainings of two hundred steps, alone and in several processes, started as a user starts them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.chaos import OVERRIDES
from tests.conftest import REPOSITORY
from unroll.base.workspace import Workspace
from unroll.compose import compose
from unroll.stages.pipeline import run_stages

LONG = ["train.max_steps=200", "train.epochs=99", "train.validate_steps=100", "train.batch_size=8", "train.log_steps=1"]


def freeze(root: Path, *overrides: str) -> Path:
    root.mkdir(exist_ok=True)
    (root / "params.yaml").write_text(compose(REPOSITORY / "conf", [*OVERRIDES, *LONG, *overrides])[0], encoding="utf-8")
    return root


def start(root: Path, **environment: object) -> subprocess.Popen[str]:
    settings = {"DVC_ROOT": root, "PYTHONPATH": "src"} | environment
    return subprocess.Popen(
        [sys.executable, "-m", "unroll", "train", "--root", str(root)], cwd=REPOSITORY, text=True,
        env=os.environ | {name: str(value) for name, value in settings.items()},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )


def finish(process: subprocess.Popen[str], code: int = 0) -> str:
    said, _ = process.communicate(timeout=120)
    assert process.returncode == code, said
    return said


@pytest.fixture(scope="session")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = freeze(tmp_path_factory.mktemp("alone"))
    run_stages(("prepare", "train"), Workspace(REPOSITORY, root))
    return root


@pytest.fixture(scope="session")
def pair(alone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return several(2, alone, tmp_path_factory.mktemp("pair"))


def several(processes: int, alone: Path, root: Path) -> Path:
    freeze(root, f"train.devices={processes}")
    shutil.copytree(alone / "data", root / "data")
    finish(start(root))
    return root
