"""What a job's process runs, and what it does not run again."""

import os

import pytest

from tests.conftest import REPOSITORY, TINY, Repo, snapshot
from tests.forks import forked
from unroll.base.files import write_json
from unroll.base.job_folder import JobFolder
from unroll.base.workspace import Workspace
from unroll.compose import compose
from unroll.jobs import shared
from unroll.jobs.shared import prepare_once


@pytest.fixture
def root(repo: Repo):
    return job_root(repo, "one")


def job_root(repo: Repo, name: str, *overrides: str):
    root = repo.folder / ".unroll" / "sweeps" / name
    root.mkdir(parents=True)
    (root / "params.yaml").write_text(compose(REPOSITORY / "conf", [*TINY, *overrides])[0])
    write_json(JobFolder(root).description, {"name": name, "group": "g", "parent": "", "overrides": [], "choices": {}})
    return root


def job(repo: Repo, root, *options: str) -> tuple[int, str]:
    """The exit code of `unroll job`, and what it says anywhere but in its log."""
    return forked("from unroll.commands.cli import main; main()", "job", "--root", root, "--project", repo.folder, *options,
                  cwd=repo.folder, path=[repo.folder / "src"])


def test_a_job_runs_its_stages_once_and_says_everything_in_its_log(repo: Repo, root) -> None:
    assert job(repo, root) == (0, "")
    folder = JobFolder(root)
    assert list(folder.state()["seconds"]) == ["prepare", "train", "evaluate", "generate"]
    said = folder.log.read_text()
    assert "train: best validation loss" in said
    assert [step for step, _ in folder.validations()] == [20]
    before = snapshot(root)
    assert job(repo, root)[0] == 0
    assert folder.log.read_text() == said
    # what is missing is run, what was run before is not
    folder.write_state(folder.state()["inputs"], {"prepare": 1.0, "train": 1.0})
    assert job(repo, root)[0] == 0
    later = folder.log.read_text().removeprefix(said)
    assert "evaluate:" in later and "generate:" in later and "train:" not in later
    assert snapshot(root) == before


def test_a_job_whose_sweep_has_gone_does_not_begin(repo: Repo, root) -> None:
    assert job(repo, root, "--parent", "1")[0] == 0
    assert not JobFolder(root).state()["seconds"]


def test_a_mistake_is_the_last_line_of_the_log(repo: Repo) -> None:
    root = job_root(repo, "bad", "data.path=data/raw/none.txt")
    assert job(repo, root)[0] == 2
    assert JobFolder(root).reason().startswith("data.path: no such file")


def test_prepared_data_is_made_once_and_linked(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("dvc.yaml", "requirements.lock"):
        (workspace.project / name).write_bytes((REPOSITORY / name).read_bytes())
    monkeypatch.setattr(Workspace, "check_code", lambda self: None)
    made: list[Workspace] = []
    whole = shared.run_stages
    monkeypatch.setattr(shared, "run_stages", lambda names, place: (made.append(place), whole(names, place)))
    roots = []
    for name, overrides in (("a", ()), ("b", ("train.seed=2",)), ("c", ("data.validation=0.2",))):
        root = workspace.project / "roots" / name
        root.mkdir(parents=True)
        (root / "params.yaml").write_text(compose(REPOSITORY / "conf", [*TINY, *overrides])[0])
        prepare_once(Workspace(workspace.project, root))
        roots.append(root / "data" / "prepared")
    assert len(made) == 2, "a and b differ in nothing that prepare reads"
    numbers = [os.stat(each / "train/text/values.npy").st_ino for each in roots]
    assert numbers[0] == numbers[1] != numbers[2]
    (workspace.project / "data" / "raw" / "more.txt").write_text("more")
    prepare_once(Workspace(workspace.project, workspace.project / "roots" / "a"))
    assert len(made) == 3
