"""dvc repro, dvc exp run, unroll sweep: three doors to the same four stages."""

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from mlflow import MlflowClient

from tests.conftest import Repo, snapshot


def experiments(repo: Repo) -> list[dict[str, Any]]:
    shown = json.loads(repo.run("dvc", "exp", "show", "--json").stdout)
    return [exp["revs"][0]["data"] for rev in shown for exp in rev.get("experiments") or []]


def figures(data: dict[str, Any], file: str) -> dict[str, float]:
    values: dict[str, float] = data["metrics"][file]["data"]
    return values


def test_one_configuration_gives_one_model_through_all_three_doors(repo: Repo, finished: Repo) -> None:
    """The same bytes, in three folders: two clones that have run nothing before, and a root of a sweep."""
    through_repro = snapshot(finished.folder)
    repo.run("dvc", "exp", "run", "-S", "train.seed=1")
    through_experiment = snapshot(repo.folder)
    repo.unroll("sweep", "train.seed=1")
    (root,) = [each.parent.parent for each in (repo.folder / ".unroll" / "sweeps" / "single").glob("*/job/job.json")]
    through_sweep = snapshot(root)
    assert through_repro["artifacts/model/model.safetensors"]
    assert through_repro == through_experiment == through_sweep


def test_an_experiment_composes_conf_and_leaves_what_it_composed(finished: Repo) -> None:
    finished.run("dvc", "exp", "run", "-S", "model=gru", "-S", "train.epochs=2", "--name", "gated")
    params = yaml.safe_load((finished.folder / "params.yaml").read_text())
    assert params["model"]["core"]["kind"] == "gru" and params["train"]["epochs"] == 2
    described = json.loads((finished.folder / "artifacts" / "model" / "model.json").read_text())
    assert described["architecture"]["core"]["kind"] == "gru"
    # what DVC composed is what `unroll compose` writes
    finished.unroll("compose", "--check", "model=gru", "train.epochs=2")
    assert "train.epochs" in finished.run("dvc", "params", "diff").stdout
    # `make experiments` has the columns that matter
    (line,) = re.findall(r"^experiments:.*\n\t(.+)$", (finished.folder / "Makefile").read_text(), re.MULTILINE)
    columns, *rows = finished.run("sh", "-c", f"{line.replace('$$', '$')} --csv").stdout.splitlines()
    assert {"val/best_loss", "test/bpc", "model.core.kind", "train.epochs"} <= set(columns.split(","))
    assert len(columns.split(",")) < 15 and any("gated" in row for row in rows)


@pytest.mark.long
def test_the_queue_runs_the_code_of_its_own_checkout(repo: Repo) -> None:
    """Uncommitted code goes along with the experiment, although the environment holds an editable install."""
    stage = repo.folder / "src" / "unroll" / "generation" / "worth.py"
    plain = stage.read_text()
    changed = plain.replace('"samples/characters":', '"samples/changed_code": 7, "samples/characters":')
    assert changed != plain
    stage.write_text(changed)
    repo.run("dvc", "exp", "run", "--queue", "-S", "train.seed=5,6", "-S", "runtime.tracking.enabled=true")
    stage.write_text(plain)
    repo.run("dvc", "queue", "start")
    deadline = time.monotonic() + 180
    while any(state in (status := repo.run("dvc", "queue", "status").stdout) for state in ("Queued", "Running")):
        assert time.monotonic() < deadline, status
        time.sleep(1)
    done = experiments(repo)
    assert sorted(each["params"]["params.yaml"]["data"]["train"]["seed"] for each in done) == [5, 6]
    assert [figures(each, "metrics/generate.json")["samples/changed_code"] for each in done] == [7, 7]
    # their checkouts are gone; their runs are where the repository's are, called as DVC calls them
    client = MlflowClient(f"sqlite:///{repo.folder / 'mlflow.db'}")
    names = [each.info.run_name for each in client.search_runs([client.get_experiment_by_name("unroll").experiment_id])]
    assert len(names) == 2 and all(name.split(": ")[0] in status for name in names)


def test_two_processes_train_one_model(repo: Repo, finished: Repo) -> None:
    repo.set(train__devices=2)
    assert repo.repro("train") == ["prepare", "train"]
    two = json.loads((repo.folder / "metrics" / "train.json").read_text())
    one = json.loads(finished.run("git", "show", "HEAD:metrics/train.json").stdout)
    assert two["train/steps"] == one["train/steps"] == 20
    assert abs(two["val/best_loss"] / one["val/best_loss"] - 1) < 1e-5


def test_a_stage_refuses_code_that_is_not_the_projects_own(finished: Repo, tmp_path: Path) -> None:
    done = finished.run("python", "-m", "unroll", "generate", "--project", str(tmp_path), ok=False, PYTHONPATH="src")
    assert done.returncode == 2
    assert done.stderr.endswith("[conflict]\n") and done.stderr.count("\n") == 1
