"""One clear line, exit code 2, and what was there before is still there."""

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY, TINY, run, snapshot, tiny
from unroll.base.workspace import Workspace
from unroll.commands.cli import main
from unroll.compose import compose

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def template(english: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose stages have run."""
    folder = tmp_path_factory.mktemp("template")
    (folder / "data" / "raw").mkdir(parents=True)
    (folder / "data" / "raw" / "corpus.txt").write_text(english, encoding="utf-8", newline="")
    run(Workspace(folder, folder), tiny())
    return folder


@pytest.fixture
def done(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = shutil.copytree(template, tmp_path / "done", symlinks=True)
    monkeypatch.chdir(folder)
    return folder


def change(folder: Path, *overrides: str) -> None:
    (folder / "params.yaml").write_text(compose(REPOSITORY / "conf", [*TINY, *overrides])[0], encoding="utf-8")


def refused(said: Capture, stage: str, code: str, *words: str) -> None:
    with pytest.raises(SystemExit) as stop:
        main([stage])
    assert stop.value.code == 2
    (line,) = said.readouterr().err.splitlines()
    assert line.startswith("unroll: ") and line.endswith(f"[{code}]"), line
    assert all(word in line for word in words), line


def test_a_source_that_is_missing(done: Path, capsys: Capture) -> None:
    before = snapshot(done)
    (done / "data" / "raw" / "corpus.txt").unlink()
    refused(capsys, "prepare", "missing-file", "data.path", "corpus.txt")
    assert snapshot(done) == before


def test_a_model_folder_that_is_missing_truncated_or_edited(done: Path, capsys: Capture) -> None:
    weights = done / "artifacts" / "model" / "model.safetensors"
    content = weights.read_bytes()
    weights.chmod(0o644)
    weights.write_bytes(content[:-5])
    refused(capsys, "evaluate", "damaged", "model.safetensors")
    weights.unlink()
    refused(capsys, "generate", "missing-file", "model.safetensors")


def test_a_prepared_folder_of_another_configuration(done: Path, capsys: Capture) -> None:
    change(done, "data.validation=0.2")
    refused(capsys, "train", "stale", "data.validation")


def test_a_wrong_name_in_params(done: Path, capsys: Capture) -> None:
    params = done / "params.yaml"
    params.write_text(params.read_text().replace("learning_rate:", "learning_rat:"))
    refused(capsys, "train", "unknown-name", "params.yaml: train: ", 'did you mean "learning_rate"?')


def test_a_prompt_outside_a_closed_vocabulary(done: Path, capsys: Capture) -> None:
    change(done, "generate.prompts=['a 王']")
    refused(capsys, "generate", "unknown-symbol", "王")


@contextmanager
def full_disk() -> Iterator[None]:
    """A limit on the size of files stands in for it: the write fails in the middle, as there."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.parametrize("stage", ["prepare", "evaluate", "generate"])
def test_a_full_disk_leaves_the_old_outputs_whole(done: Path, stage: str, capsys: Capture) -> None:
    before = snapshot(done)
    with full_disk():
        refused(capsys, stage, "disk")
    assert snapshot(done) == before
    assert not list(done.rglob("*.partial"))


def test_a_training_that_fails_says_no_more_than_this(done: Path) -> None:
    """As a process of its own, where a library that speaks while it is imported or fails would be heard."""
    before = snapshot(done)
    full = subprocess.run(["prlimit", "--fsize=10", sys.executable, "-m", "unroll", "train"], cwd=done, text=True,
                          env=os.environ | {"PYTHONPATH": "src"}, capture_output=True, check=False)
    assert full.returncode == 2, full.stderr
    (line,) = full.stderr.splitlines()
    assert line.startswith("unroll: ") and line.endswith("[disk]"), line
    assert snapshot(done) == before
    assert not list(done.rglob("*.partial"))
