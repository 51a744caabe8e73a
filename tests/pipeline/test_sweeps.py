"""Real sweeps and a real study: processes, kills, MLflow, and the winner through `dvc repro`."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import yaml
from mlflow import MlflowClient

from tests.conftest import Repo, snapshot
from unroll.commands.cli import main
from unroll.jobs.sweeps import make

GRID = ("model=rnn,gru", "train.seed=1,2", "train.learning_rate=0.01", "runtime.tracking.enabled=true")


@pytest.fixture(scope="module")
def swept(_template: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Repo, subprocess.CompletedProcess[str]]:
    """A sweep of four jobs, two of each cell."""
    import shutil

    folder = tmp_path_factory.mktemp("swept") / "repo"
    shutil.copytree(_template, folder, symlinks=True)
    repo = Repo(folder)
    return repo, repo.unroll("sweep", "-m", *GRID)


def roots(repo: Repo, name: str = "model-seed") -> dict[str, Path]:
    found = (repo.folder / ".unroll" / "sweeps" / name).glob("*/job/job.json")
    return {json.loads(each.read_text())["name"]: each.parent.parent for each in found}


def test_every_combination_has_a_root_of_its_own_with_all_outputs(swept):
    repo, _ = swept
    assert set(roots(repo)) == {f"model={cell} train.seed={seed}" for cell in ("rnn", "gru") for seed in (1, 2)}
    for name, root in roots(repo).items():
        assert f"model={yaml.safe_load((root / 'params.yaml').read_text())['model']['core']['kind']}" in name
        assert {"artifacts/model/model.safetensors", "artifacts/samples/001.txt", "metrics/generate.json",
                "plots/test/curves.png"} <= set(snapshot(root))
    assert not (repo.folder / "artifacts" / "model").exists(), "a sweep leaves the repository's own outputs alone"
    assert len(list((repo.folder / ".unroll" / "prepared").iterdir())) == 1


def test_it_ends_with_a_ranked_table_and_the_command_to_take_the_best(swept):
    repo, done = swept
    rows = [line.split("|")[2:5] for line in done.stdout.splitlines() if line.startswith("| ") and "model=" in line]
    means = [float(row[2].split("±")[0]) for row in rows]
    assert sorted(row[0].strip() for row in rows) == ["model=gru", "model=rnn"] and means == sorted(means)
    best = done.stdout.split("unroll promote ")[1].strip()
    losses = {root: json.loads((root / "metrics" / "train.json").read_text())["val/best_loss"] for root in roots(repo).values()}
    winners = [losses[root] for name, root in roots(repo).items() if rows[0][0].strip() in name]
    assert losses[repo.folder / best] == min(winners)


def test_runs_are_children_of_the_sweeps_run_and_called_by_what_differs(swept):
    repo, _ = swept
    client = MlflowClient(f"sqlite:///{repo.folder / 'mlflow.db'}")
    found = client.search_runs([client.get_experiment_by_name("unroll").experiment_id])
    assert {each.info.status for each in found} == {"FINISHED"} and len(found) == 5
    (parent,) = [each for each in found if "mlflow.parentRunId" not in each.data.tags]
    assert parent.info.run_name == "model-seed" and parent.data.metrics["jobs/finished"] == 4
    assert {"table.csv", "comparison.png"} <= {each.path for each in client.list_artifacts(parent.info.run_id)}
    children = [each for each in found if each is not parent]
    assert {each.info.run_name for each in children} == set(roots(repo))
    assert {each.data.tags["mlflow.parentRunId"] for each in children} == {parent.info.run_id}
    for each in children:
        points = client.get_metric_history(each.info.run_id, "train/loss")
        assert [point.step for point in points] == [5, 10, 15, 20]


def test_started_again_nothing_is_run_again(swept):
    repo, first = swept
    before = {root: (root / "job" / "state.json").stat().st_mtime_ns for root in roots(repo).values()}
    again = repo.unroll("sweep", *GRID)
    assert "4 of 4 jobs had finished before" in again.stdout
    assert {root: (root / "job" / "state.json").stat().st_mtime_ns for root in roots(repo).values()} == before
    assert again.stdout.split("\n\n")[1] == first.stdout.split("\n\n")[1]
    client = MlflowClient(f"sqlite:///{repo.folder / 'mlflow.db'}")
    assert len(client.search_runs([client.get_experiment_by_name("unroll").experiment_id])) == 5


def test_the_winner_becomes_the_project_and_gives_the_same_model(swept):
    repo, _ = swept
    root = roots(repo)["model=gru train.seed=2"]
    taken = repo.unroll("promote", str(root.relative_to(repo.folder)), "--name", "winner")
    assert "experiment/winner.yaml is the default" in taken.stdout
    assert "experiment: winner" in (repo.folder / "conf" / "config.yaml").read_text()
    repo.unroll("compose", "--check")
    repo.repro()
    through_sweep, through_repro = snapshot(root), snapshot(repo.folder)
    # a root of a sweep writes where DVC writes
    assert through_sweep == through_repro
    # another model can still be tried on it
    repo.unroll("compose", "model=lstm")
    assert yaml.safe_load((repo.folder / "params.yaml").read_text())["train"]["learning_rate"] == 0.01


def test_a_failed_job_is_named_and_the_others_run(repo: Repo) -> None:
    done = repo.unroll("sweep", "train.learning_rate=1e30,0.004", ok=False)
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert done.stderr.startswith("unroll: sweep: 1 job failed: train.learning_rate=1e+30 (train.learning_rate: ")
    assert "train.learning_rate=0.004: validation loss" in done.stdout


@pytest.mark.parametrize(("overrides", "part"), [
    (["model=rnn,lstmm"], "did you mean"),
    (["train.batch_size=8,0"], "train.batch_size=0: conf/: train.batch_size"),
    (["train.num_nodes=1,2", "train.batch_size=8"], "train.num_nodes: 2 machines a job are not supported in a sweep"),
])
def test_a_sweep_with_a_wrong_value_starts_no_job(
    repo: Repo, overrides, part, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(repo.folder)
    with pytest.raises(SystemExit) as stop:
        main(["sweep", *overrides])
    said = capsys.readouterr().err
    assert stop.value.code == 2 and part in said and said.count("\n") == 1
    assert not list(repo.folder.glob(".unroll/**/params.yaml"))


def sleeping(command: str, folder: Path) -> list[psutil.Process]:
    return [each for each in psutil.process_iter(["cmdline"])
            if command in (each.info["cmdline"] or []) and str(folder) in " ".join(each.info["cmdline"])]


def test_killed_in_its_midst_a_sweep_leaves_no_process_and_goes_on(repo: Repo, tmp_path: Path) -> None:
    """The job that had finished is not run again, the one that was cut goes on."""
    repo.set(train__epochs=999, train__validate_steps=200, runtime__checkpoint__steps=20)
    grid = ["sweep", "train.max_steps=2,300", "hydra.launcher.jobs=1", "--name", "cut"]
    process = subprocess.Popen([sys.executable, "-m", "unroll", *grid], cwd=repo.folder, stdout=subprocess.DEVNULL,
                               env=repo.environment | {"PYTHONPATH": "src"})
    deadline = time.monotonic() + 120
    while not any(name.startswith("step-") and name != "step-000000002"
                  for _, folders, files in os.walk(repo.folder / ".unroll") for name in (*folders, *files)):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    jobs = sleeping("job", repo.folder)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert jobs and psutil.wait_procs(jobs, timeout=10)[1] == []
    done = repo.unroll(*grid)
    assert "1 of 2 jobs had finished before" in done.stdout
    root = roots(repo, "cut")["train.max_steps=300"]
    assert "train: going on from" in (root / "job" / "log.txt").read_text()
    assert json.loads((root / "metrics" / "train.json").read_text())["train/steps"] == 300


def test_a_study_gives_up_trials_and_goes_on_where_it_was(repo: Repo) -> None:
    space = {"trials": 2, "seed": 1, "sampler": "random", "pruner": {"kind": "median", "trials": 1, "first": 1},
             "space": {"train.learning_rate": {"low": 0.0001, "high": 0.02, "log": True}}}
    (repo.folder / "conf" / "tune" / "rate.yaml").write_text(yaml.safe_dump(space))
    repo.set(train__validate_steps=10, runtime__tracking__enabled=True)
    first = repo.unroll("tune", "--space", "rate", "--trials", "1", "--jobs", "1")
    assert first.stdout.count("→") == 1
    again = repo.unroll("tune", "--space", "rate", "--jobs", "1")
    assert again.stdout.count("→") == 1 and "#1" in again.stdout and "best:" in again.stdout
    folder = repo.folder / ".unroll" / "tune" / "rate"
    rows = [line.split(",") for line in (folder / "trials.csv").read_text().splitlines()[1:]]
    assert len(rows) == 2 and {row[1] for row in rows} <= {"complete", "pruned"}
    client = MlflowClient(f"sqlite:///{repo.folder / 'mlflow.db'}")
    found = client.search_runs([client.get_experiment_by_name("unroll").experiment_id])
    assert len([each for each in found if "mlflow.parentRunId" in each.data.tags]) == 2
    given_up = [each for each in found if "unroll.pruned" in each.data.tags]
    assert len(given_up) == len([row for row in rows if row[1] == "pruned"])
    assert not any((repo.folder / ".unroll" / "work").glob("*/step-*")), "what a trial was to go on from is removed"


@pytest.mark.root
def test_a_full_disk_in_one_job_harms_no_other(repo: Repo) -> None:
    grid = [["train.seed=1"], ["train.seed=2"]]
    small, other = (make(repo.folder, repo.folder / ".unroll" / "sweeps" / "full", each, each).root for each in grid)
    small.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40k", "tmpfs", small], check=True)
    try:
        done = repo.unroll("sweep", "train.seed=1,2", "--name", "full", ok=False)
    finally:
        subprocess.run(["umount", small], check=True)
    assert done.returncode == 2 and done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("unroll: sweep: 1 job failed: train.seed=1 (") and "No space left on device" in done.stderr
    assert (other / "metrics" / "test.json").exists() and "train.seed=2: validation loss" in done.stdout
    # with room again, the one that failed is run
    assert "1 of 2 jobs had finished before" in repo.unroll("sweep", "train.seed=1,2", "--name", "full").stdout
