"""Does a commit come out again? In real clones of a real repository."""

import hashlib
import json
import shutil

import pytest

from tests.conftest import Repo

pytestmark = pytest.mark.long


@pytest.fixture
def committed(finished: Repo, tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """A clone without a cache, as another machine would have it."""
    folder = tmp_path_factory.mktemp("another") / "repo"
    finished.run("git", "clone", "-q", str(finished.folder), str(folder))
    repo = Repo(folder)
    repo.run("git", "config", "user.name", "test")
    repo.run("git", "config", "user.email", "test@localhost")
    return repo


def report(repo: Repo) -> dict[str, object]:
    (file,) = (repo.folder / ".unroll" / "verify").iterdir()
    found: dict[str, object] = json.loads(file.read_text())
    return found


def test_a_commit_comes_out_again(committed: Repo) -> None:
    done = committed.unroll("verify")
    assert "identical: every output is the same bytes" in done.stdout
    found = report(committed)
    assert found["result"] == "identical"
    outputs = found["outputs"]
    assert isinstance(outputs, list)
    assert [each["path"] for each in outputs if each["state"] == "identical"] == [
        "artifacts/card", "artifacts/model", "artifacts/samples", "data/prepared", "metrics/environment.json", "metrics/generate.json",
        "metrics/test.json", "metrics/train.json", "plots/test", "plots/train.csv", "plots/validation.csv"]
    assert committed.run("git", "status", "--porcelain").stdout == ""
    assert not (committed.folder / "mlflow.db").exists()


def edit(repo: Repo, name: str, old: str, new: str) -> None:
    """Change what was committed, and its hash in dvc.lock."""
    file, lock = repo.folder / name, repo.folder / "dvc.lock"
    content = file.read_text()
    assert old in content
    file.write_text(content.replace(old, new))
    hashes = [hashlib.md5(each.encode()).hexdigest() for each in (content, file.read_text())]
    assert hashes[0] in lock.read_text()
    lock.write_text(lock.read_text().replace(*hashes))


def test_what_differs_is_named_with_what_explains_it(committed: Repo) -> None:
    loss = json.loads((committed.folder / "metrics" / "test.json").read_text())["test/loss"]
    edit(committed, "metrics/test.json", f'"test/loss": {loss}', f'"test/loss": {loss * 1.0001}')
    edit(committed, "metrics/environment.json", '"torch": "', '"torch": "0.')
    committed.commit("as if from elsewhere")
    done = committed.unroll("verify")
    assert "equal      metrics/test.json  (test.json test/loss: 0.0001)" in done.stdout
    assert "differs here    torch: 0." in done.stdout
    assert report(committed)["result"] == "equal"


def test_the_small_profile_gives_the_same_twice(committed: Repo) -> None:
    experiments = committed.folder / "conf" / "experiment"
    shutil.copy(experiments / "tiny.yaml", experiments / "smoke.yaml")      # smaller yet
    committed.commit("a small profile")
    assert "the small profile, twice" in committed.unroll("verify", "--quick").stdout
    assert report(committed)["result"] == "identical"


@pytest.mark.parametrize(("arguments", "said"), [
    (["nonsense"], "unroll: nonsense: neither a revision of git nor an experiment of DVC"),
    (["HEAD", "--tolerance", "-1"], "--tolerance"),
])
def test_nothing_to_verify_is_one_line(committed: Repo, arguments: list[str], said: str) -> None:
    done = committed.unroll("verify", *arguments, ok=False)
    assert done.returncode == 2 and said in done.stderr.splitlines()[-1]


def test_a_commit_without_results_is_one_line(committed: Repo) -> None:
    committed.run("git", "rm", "-q", "dvc.lock")
    committed.commit("no results")
    done = committed.unroll("verify", ok=False)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("unroll: HEAD: ")
    assert done.stderr.rstrip().endswith("[missing-file]")
