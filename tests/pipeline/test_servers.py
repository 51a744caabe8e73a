"""A sweep that logs to an MLflow server, and studies in a PostgreSQL; both are started for it."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import mlflow
import optuna
import psutil
import pytest
from mlflow import MlflowClient
from optuna.trial import TrialState

from benchmarks.servers import tracking_server
from tests.conftest import REPOSITORY, Repo
from unroll.base.files import sha256

pytestmark = pytest.mark.server

SPACE = """
trials: 2
seed: 1
sampler: random
pruner: {kind: none}
space:
  model: [rnn, lstm, gru]
  model.core.hidden_size: {low: 4, high: 16}
  train.learning_rate: {low: 0.0005, high: 0.02, log: true}
"""
LONG = ["train.max_steps=600", "train.epochs=999", "train.validate_steps=300", "runtime.checkpoint.steps=20"]
WAIT_SECONDS = 180


class Storage:
    """A PostgreSQL that can be stopped and started again."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self.url = self.start()

    def start(self) -> str:
        return self._tool("start").strip()

    def stop(self) -> None:
        self._tool("stop")

    def _tool(self, verb: str) -> str:
        tool = REPOSITORY / "tools" / "postgres.sh"
        return subprocess.run([tool, verb, self._folder], check=True, stdout=subprocess.PIPE, text=True).stdout


@pytest.fixture(scope="module")
def storage() -> Iterator[Storage]:
    # not below pytest's folder, which root alone may enter
    with tempfile.TemporaryDirectory(prefix="postgres-") as folder:
        storage = Storage(folder)
        yield storage
        storage.stop()


@pytest.fixture
def repo(repo: Repo) -> Repo:
    (repo.folder / "conf" / "tune" / "small.yaml").write_text(SPACE)
    return repo


@pytest.fixture
def tune(repo: Repo, storage: Storage, request: pytest.FixtureRequest) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts `unroll tune` on a study that is called like the test; what is left of it is ended with the test."""
    started = []

    def start(*overrides: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "unroll", "tune", *overrides, "--space=small", f"--name={request.node.name}",
                   f"--storage={storage.url}", "--jobs=1"]
        process = subprocess.Popen(command, cwd=repo.folder, env=repo.environment | {"PYTHONPATH": "src"}, text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()


def finish(process: subprocess.Popen[str], code: int = 0) -> tuple[str, str]:
    said, complaint = process.communicate(timeout=WAIT_SECONDS)
    assert process.returncode == code, said + complaint
    return said, complaint


def trials(storage: Storage, name: str) -> list[optuna.trial.FrozenTrial]:
    return optuna.load_study(study_name=name, storage=storage.url).get_trials()


def until(happened: Callable[[], object]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def wait_for_checkpoint(repo: Repo, process: subprocess.Popen[str]) -> None:
    until(lambda: process.poll() is not None or list((repo.folder / ".unroll").rglob("step-*")))
    assert process.poll() is None, process.communicate()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    with tracking_server(tmp_path / "server") as (url, _):
        yield url


def test_a_sweep_logs_everything_to_a_server(
    repo: Repo, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.run("python", "-m", "unroll", "sweep", "model=rnn,lstm,gru", "runtime.tracking.enabled=true", "train.validate_steps=10",
             "--name", "cells", PYTHONPATH="src", MLFLOW_TRACKING_URI=server)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)       # which fetching a model is not to be told otherwise
    client = MlflowClient(server)
    found = client.get_experiment_by_name("unroll")
    assert found is not None and found.artifact_location.startswith("mlflow-artifacts:")
    runs = {run.info.run_name: run for run in client.search_runs([found.experiment_id])}
    parent = runs.pop("cells")
    assert sorted(runs) == ["model=gru", "model=lstm", "model=rnn"]
    assert {run.data.tags["mlflow.parentRunId"] for run in runs.values()} == {parent.info.run_id}
    assert {run.info.status for run in [parent, *runs.values()]} == {"FINISHED"}
    assert parent.data.metrics["jobs/finished"] == 3 and parent.data.metrics["jobs/failed"] == 0
    assert {"comparison.png", "table.csv"} <= {file.path for file in client.list_artifacts(parent.info.run_id)}
    for run in runs.values():
        key = run.info.run_id
        for metric, steps in {"train/loss": [5, 10, 15, 20], "val/loss": [10, 20], "test/bpc": [0]}.items():
            assert [point.step for point in client.get_metric_history(key, metric)] == steps
        root = Path(run.data.tags["unroll.root"])
        fetched = Path(client.download_artifacts(key, "", str(tmp_path / key)))
        (model,) = client.get_run(key).outputs.model_outputs
        files = mlflow.artifacts.download_artifacts(f"models:/{model.model_id}", dst_path=str(tmp_path / model.model_id))
        (weights,) = Path(files).rglob("model.safetensors")
        assert sha256(weights) == run.data.tags["model.sha256"] == sha256(root / "artifacts" / "model" / "model.safetensors")
        assert sha256(fetched / "params.yaml") == sha256(root / "params.yaml")
        assert [file.name for file in sorted((fetched / "samples").glob("*.txt"))] == ["step_000010.txt", "step_000020.txt"]
        assert (fetched / "plots" / "gradient_reach.png").is_file() and (fetched / "samples" / "final" / "001.txt").is_file()
    assert not (repo.folder / "mlflow.db").exists() and not (repo.folder / "mlartifacts").exists()


def test_two_processes_share_a_study(repo, storage, tune, request):
    both = [tune("runtime.tracking.enabled=true", "--trials=3") for _ in range(2)]
    for process in both:
        said, complaint = finish(process)
        assert "tune: #" in said, "this one had nothing to do"
        assert complaint == ""
    done = trials(storage, request.node.name)
    assert [trial.state for trial in done] == [TrialState.COMPLETE] * 3
    assert len({trial.user_attrs["root"] for trial in done}) == 3
    assert len({trial.user_attrs["process"] for trial in done}) == 2
    client = MlflowClient(f"sqlite:///{repo.folder / 'mlflow.db'}")
    runs = client.search_runs([client.get_experiment_by_name("unroll").experiment_id])
    parents = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    assert len(runs) == 4 and len(parents) == 1 and parents[0].info.status == "FINISHED"


def test_a_killed_process_leaves_nothing_that_the_next_does_not_finish(repo, storage, tune, request):
    killed = tune(*LONG)
    wait_for_checkpoint(repo, killed)
    children = psutil.Process(killed.pid).children(recursive=True)
    assert children
    killed.kill()       # and not asked after, as by a container's first process that does not care
    psutil.wait_procs(children, timeout=10)
    assert not [each for each in children if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]
    (left,) = [trial for trial in trials(storage, request.node.name) if trial.state == TrialState.RUNNING]
    finish(tune(*LONG))
    done = trials(storage, request.node.name)
    assert [trial.state for trial in done] == [TrialState.COMPLETE] * 2
    taken = done[left.number]
    assert taken.user_attrs["root"] == left.user_attrs["root"] and taken.params == left.params
    assert "train: going on from" in (Path(repo.folder, taken.user_attrs["root"]) / "job" / "log.txt").read_text()


def test_two_processes_that_start_again_do_not_take_the_same_trial(repo, storage, tune, request):
    killed = tune(*LONG)
    wait_for_checkpoint(repo, killed)
    killed.kill()
    killed.wait()
    for process in [tune(*LONG), tune(*LONG)]:
        finish(process)
    assert [trial.state for trial in trials(storage, request.node.name)] == [TrialState.COMPLETE] * 2


def test_a_storage_that_goes_away_is_one_line_and_the_same_command_goes_on(repo, storage, tune, request):
    process = tune(*LONG)
    wait_for_checkpoint(repo, process)
    children = psutil.Process(process.pid).children(recursive=True)
    storage.stop()
    try:
        _, complaint = finish(process, 2)
    finally:
        storage.start()
    assert complaint.startswith("unroll: --storage: postgresql+psycopg://") and complaint.count("\n") == 1
    assert not [each for each in children if each.is_running()]
    finish(tune(*LONG))
    assert [trial.state for trial in trials(storage, request.node.name)] == [TrialState.COMPLETE] * 2
