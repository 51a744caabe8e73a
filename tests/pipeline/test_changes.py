"""What DVC runs again, and what it does not."""

from tests.conftest import STAGES, Repo

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

    (repo.folder / "data" / "raw" / "more.txt").write_text("one more file\n")
    assert repo.repro() == EVERYTHING

    lock = repo.folder / "requirements.lock"
    lock.write_text(lock.read_text() + "# another lock\n")
    assert repo.repro() == EVERYTHING
