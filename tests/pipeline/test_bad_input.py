"""One clear line, exit code 2, and what was there before is still there."""

import shutil
from pathlib import Path

import pytest

from tests.conftest import Repo, snapshot


def refused(repo: Repo, stage: str, code: str, *words: str) -> None:
    done = repo.unroll(stage, ok=False)
    assert done.returncode == 2, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("unroll: ") and line.endswith(f"[{code}]"), line
    assert all(word in line for word in words), line


@pytest.fixture
def done(finished: Repo, tmp_path: Path) -> Repo:
    shutil.copytree(finished.folder, tmp_path / "done", symlinks=True)
    return Repo(tmp_path / "done")


def test_a_source_that_is_missing(done: Repo) -> None:
    before = snapshot(done.folder)
    (done.folder / "data" / "raw" / "corpus.txt").unlink()
    refused(done, "prepare", "missing-file", "data.path", "corpus.txt")
    assert snapshot(done.folder) == before


def test_a_model_folder_that_is_missing_truncated_or_edited(done: Repo) -> None:
    weights = done.folder / "artifacts" / "model" / "model.safetensors"
    content = weights.read_bytes()
    weights.chmod(0o644)
    weights.write_bytes(content[:-5])
    refused(done, "evaluate", "damaged", "model.safetensors")
    weights.unlink()
    refused(done, "generate", "missing-file", "model.safetensors")


def test_a_prepared_folder_of_another_configuration(done: Repo) -> None:
    done.set(data__validation=0.2)
    refused(done, "train", "stale", "data.validation")


def test_a_wrong_name_in_params(done: Repo) -> None:
    params = done.folder / "params.yaml"
    params.write_text(params.read_text().replace("learning_rate:", "learning_rat:"))
    refused(done, "train", "unknown-name", "params.yaml: train: ", 'did you mean "learning_rate"?')


def test_a_prompt_outside_a_closed_vocabulary(done: Repo) -> None:
    done.set(generate__prompts=["a 王"])
    refused(done, "generate", "unknown-symbol", "王")


@pytest.mark.parametrize("stage", ["prepare", "train", "evaluate", "generate"])
def test_a_full_disk_leaves_the_old_outputs_whole(done: Repo, stage: str) -> None:
    """A limit on the size of files stands in for the disk: the write fails in the middle, as there."""
    before = snapshot(done.folder)
    full = done.run("prlimit", "--fsize=10", "python", "-m", "unroll", stage, ok=False, PYTHONPATH="src")
    assert full.returncode == 2, full.stderr
    assert full.stderr.startswith("unroll: ") and full.stderr.endswith("[disk]\n"), full.stderr
    assert full.stderr.count("\n") == 1, full.stderr
    assert snapshot(done.folder) == before
    assert not list(done.folder.rglob("*.partial"))
