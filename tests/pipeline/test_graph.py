"""What DVC's graph gives: outputs to whoever pulls, figures and plots."""

import json
import subprocess
from pathlib import Path

import yaml

from tests.conftest import REPOSITORY, STAGES, Repo, snapshot


def test_a_clone_that_pulls_has_nothing_to_run(finished: Repo, tmp_path: Path) -> None:
    finished.run("dvc", "remote", "add", "--force", "-d", "store", str(tmp_path / "store"))
    finished.run("dvc", "push")
    finished.commit("remote")
    subprocess.run(["git", "clone", "-q", str(finished.folder), str(tmp_path / "clone")], check=True)
    clone = Repo(tmp_path / "clone")
    clone.run("dvc", "pull")
    assert clone.repro() == []
    assert snapshot(clone.folder) == snapshot(finished.folder)


def test_figures_and_plots_are_there_to_be_read(finished: Repo) -> None:
    shown = json.loads(finished.run("dvc", "metrics", "show", "--json").stdout)[""]["data"]
    for key in ("test/loss", "test/bpc", "test/perplexity", "baseline/ngram5_bpc", "baseline/xz_bpc"):
        assert shown["metrics/test.json"]["data"][key] > 0
    finished.run("dvc", "plots", "show")
    page = (finished.folder / "dvc_plots" / "index.html").read_text()
    assert "Loss while training" in page and "gradient_reach" in page
    finished.unroll("show")


def test_the_committed_lock_is_the_trees_own() -> None:
    """`dvc.lock` was written by a run of exactly this code, these requirements and this configuration."""
    status = json.loads(
        subprocess.run(["dvc", "status", "--json"], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    )
    changed = {
        f"{stage}: {name}"
        for stage, entries in status.items()
        for entry in entries
        for kind in ("changed deps", "changed outs")
        if isinstance(entry, dict)
        for name, state in entry.get(kind, {}).items()
        # a fresh clone has no outputs yet: those are not there, and nobody changed them
        if state not in ("deleted", "not in cache")
    }
    assert not changed, f"run `dvc repro` and commit dvc.lock: {sorted(changed)}"
    assert set(yaml.safe_load((REPOSITORY / "dvc.lock").read_text())["stages"]) == set(STAGES)
