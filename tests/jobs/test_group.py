"""The MLflow run of a study and those of its trials, whenever a trial is ended."""

from pathlib import Path

import pytest
from mlflow import MlflowClient

from tests.conftest import tiny
from tests.jobs.conftest import make
from unroll.base.workspace import Workspace
from unroll.jobs.group import Group
from unroll.tracking import Tracker


@pytest.fixture
def group(tmp_path: Path):
    config = tiny("runtime.tracking.enabled=true")
    with Group(tmp_path, tmp_path / "study", "study", config, "tune") as group:
        yield group


def runs(folder: Path) -> list:
    client = MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")
    return client.search_runs([client.get_experiment_by_name("unroll").experiment_id])


def test_a_trial_that_is_ended_before_mlflow_knows_its_run_has_one_all_the_same(group, tmp_path):
    job = make(tmp_path / "study", "train.seed=2")
    group.admit(job)
    group.pruned(job, 10)
    (trial,) = [run for run in runs(tmp_path) if run.info.run_id != group.run_id]
    assert trial.info.run_name == job.name and trial.info.status == "KILLED"
    assert trial.data.tags["mlflow.parentRunId"] == group.run_id
    assert trial.data.tags["unroll.pruned"] == "after step 10"


def test_a_trial_that_is_ended_later_keeps_the_run_that_its_process_opened(group, tmp_path):
    job, other = make(tmp_path / "study", "train.seed=2"), make(tmp_path / "study", "train.seed=3")
    for each in (job, other):
        group.admit(each)
        workspace = Workspace(tmp_path, each.root)
        tracker = Tracker(tiny("runtime.tracking.enabled=true").runtime.tracking, workspace, each.folder.describe())
        tracker.start("gru-16x1", {"train": {"seed": 2}}, {}, None)
        assert tracker.run_id
    work = tmp_path / "work"
    work.mkdir()
    job.folder.begin(work)
    group.pruned(job, 20)
    found = {run.info.run_name: run for run in runs(tmp_path) if run.info.run_id != group.run_id}
    assert set(found) == {job.name, other.name}
    assert found[job.name].data.tags["unroll.pruned"] == "after step 20" and found[job.name].info.status == "KILLED"
    assert "unroll.pruned" not in found[other.name].data.tags and found[other.name].info.status == "RUNNING"
    assert not work.exists()


def test_a_group_that_is_opened_again_has_its_run_of_before(tmp_path):
    config = tiny("runtime.tracking.enabled=true")
    ids = []
    for _ in range(2):
        with Group(tmp_path, tmp_path / "study", "study", config, "tune") as group:
            ids.append(group.run_id)
            group.close({"jobs/finished": 1.0}, 0)
    assert ids[0] == ids[1]
    (only,) = runs(tmp_path)
    assert only.info.status == "FINISHED" and only.data.metrics["jobs/failed"] == 0
