"""dvc repro, dvc exp run, unroll sweep: three doors to the same four stages."""

import json
from pathlib import Path
from typing import Any

import yaml

from tests.conftest import Repo, snapshot
from unroll.files import sha256


def experiments(repo: Repo) -> list[dict[str, Any]]:
    shown = json.loads(repo.run("dvc", "exp", "show", "--json").stdout)
    return [exp["revs"][0]["data"] for rev in shown for exp in rev.get("experiments") or []]


def figures(data: dict[str, Any], file: str) -> dict[str, float]:
    values: dict[str, float] = data["metrics"][file]["data"]
    return values


def test_one_configuration_gives_one_model_through_all_three_doors(repo: Repo) -> None:
    assert repo.repro() == ["prepare", "train", "evaluate", "generate"]
    repo.commit("results")
    through_repro = snapshot(repo.folder)
    repo.run("dvc", "exp", "run", "--force", "-S", "train.seed=1")
    through_experiment = snapshot(repo.folder)
    repo.unroll("sweep", "train.seed=1")
    (root,) = (repo.folder / ".unroll" / "sweeps" / "default").iterdir()
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
    assert "gated" in finished.run("dvc", "exp", "show", "--csv").stdout


def test_the_queue_runs_the_code_of_its_own_checkout(repo: Repo) -> None:
    """Uncommitted code goes along with the experiment, although the environment holds an editable install."""
    stage = repo.folder / "src" / "unroll" / "stages" / "generate.py"
    plain = stage.read_text()
    stage.write_text(plain.replace('"samples/characters":', '"samples/changed_code": 7, "samples/characters":'))
    repo.run("dvc", "exp", "run", "--queue", "-S", "train.seed=5,6")
    stage.write_text(plain)
    repo.run("dvc", "exp", "run", "--run-all", "--jobs", "1")
    done = experiments(repo)
    assert sorted(each["params"]["params.yaml"]["data"]["train"]["seed"] for each in done) == [5, 6]
    assert [figures(each, "metrics/generate.json")["samples/changed_code"] for each in done] == [7, 7]


def test_a_sweep_runs_every_combination_in_a_root_of_its_own(repo: Repo) -> None:
    done = repo.unroll("sweep", "-m", "model=rnn,lstm,gru", "--name", "cells")
    roots = list((repo.folder / ".unroll" / "sweeps" / "cells").iterdir())
    kinds = [yaml.safe_load((root / "params.yaml").read_text())["model"]["core"]["kind"] for root in roots]
    assert sorted(kinds) == ["gru", "lstm", "rnn"]
    assert len({sha256(root / "artifacts" / "model" / "model.safetensors") for root in roots}) == 3
    assert all((root / "metrics" / "test.json").is_file() for root in roots)
    ranked = [line for line in done.stdout.splitlines() if "  model=" in line]
    losses = [float(line.split()[0]) for line in ranked]
    assert len(losses) == 3 and losses == sorted(losses)
    assert not (repo.folder / "artifacts" / "model").exists(), "a sweep leaves the repository's own outputs alone"


def test_a_sweep_with_a_wrong_value_starts_no_job(repo: Repo) -> None:
    done = repo.unroll("sweep", "model=rnn,lstmm", ok=False)
    assert done.returncode == 2 and "lstmm" in done.stderr and done.stderr.count("\n") == 1
    assert not (repo.folder / ".unroll").exists()


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
    assert "the code that runs is" in done.stderr and done.stderr.count("\n") == 1
