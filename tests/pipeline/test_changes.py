"""What DVC runs again, and what it does not."""

import json

import pytest

from tests.conftest import STAGES, Repo

pytestmark = pytest.mark.long
EVERYTHING = list(STAGES)


def test_only_what_depends_on_a_change_runs_again(repo: Repo) -> None:
    repo.set(data__path="data/raw")
    assert repo.repro() == EVERYTHING
    assert repo.repro() == []

    repo.set(generate__temperature=0.5)
    assert repo.repro() == ["generate"]

    repo.set(train__learning_rate=0.002)
    assert repo.repro() == ["train", "evaluate", "generate"]

    repo.set(runtime__workers=1)
    assert repo.repro() == []

    corpus = repo.folder / "data" / "raw" / "corpus.txt"
    corpus.write_text(corpus.read_text()[:-1] + "x", encoding="utf-8", newline="")
    assert repo.repro() == EVERYTHING

    # what follows from `prepare` has just been seen to
    (repo.folder / "data" / "raw" / "more.txt").write_text("one more file\n")
    assert changed(repo) == ["prepare"]

    lock = repo.folder / "requirements.lock"
    lock.write_text(lock.read_text() + "# another lock\n")
    assert changed(repo) == EVERYTHING
    assert repo.repro() == EVERYTHING


def changed(repo: Repo) -> list[str]:
    """Stages that a change itself makes run."""
    found = json.loads(repo.run("dvc", "status", "--json").stdout)
    return [name for name in EVERYTHING if name in found]
