"""A real MLflow store: what a run holds, which run is found again, and what a dead server does."""

import shutil
import socket
import threading
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from tests.conftest import refused, run, snapshot, tiny
from unroll.base.files import sha256
from unroll.base.workspace import Workspace
from unroll.config.runtime import TrackingConfig
from unroll.tracking import Tracker, flatten
from unroll.tracking.run import Run
from unroll.training.learner import Learner

ON = ("runtime.tracking.enabled=true", "runtime.tracking.sample_length=20")


@pytest.fixture(scope="module")
def tracked(tmp_path_factory: pytest.TempPathFactory, english: str) -> Workspace:
    folder = tmp_path_factory.mktemp("tracked")
    (folder / "data" / "raw").mkdir(parents=True)
    (folder / "data" / "raw" / "corpus.txt").write_text(english)
    workspace = Workspace(folder, folder)
    run(workspace, tiny(*ON))
    return workspace


def client(workspace: Workspace) -> MlflowClient:
    return MlflowClient(f"sqlite:///{workspace.home / 'mlflow.db'}")


def runs(workspace: Workspace) -> list:  # type: ignore[type-arg]
    found = client(workspace).get_experiment_by_name("unroll")
    assert found is not None
    return list(client(workspace).search_runs([found.experiment_id]))


def names(workspace: Workspace, run_id: str, folder: str | None = None) -> set[str]:
    return {each.path for each in client(workspace).list_artifacts(run_id, folder)}


def test_all_stages_log_to_one_run(tracked: Workspace) -> None:
    (only,) = runs(tracked)
    assert only.info.status == "FINISHED"
    assert only.data.tags["model.sha256"] == sha256(tracked.model / "model.safetensors")
    wanted = {"train/loss", "val/bpc", "test/bpc", "baseline/ngram5_bpc", "samples/words_in_corpus"}
    assert wanted <= set(only.data.metrics)


def test_parameters_are_those_that_decide_the_model(tracked: Workspace) -> None:
    (only,) = runs(tracked)
    assert only.data.params["train.learning_rate"] == "0.004"
    assert {name.split(".")[0] for name in only.data.params} == {"data", "model", "train"}
    sections = {name: getattr(tiny(*ON), name).model_dump() for name in ("data", "model", "train")}
    assert set(only.data.params) == set(flatten(sections))


def test_a_curve_has_its_steps_and_the_time_stamps_of_a_repeated_point_agree(tracked: Workspace) -> None:
    (only,) = runs(tracked)
    points = client(tracked).get_metric_history(only.info.run_id, "train/loss")
    assert [point.step for point in points] == [5, 10, 15, 20]
    assert [point.timestamp - only.info.start_time for point in points] == [5, 10, 15, 20]


def test_artifacts_tags_and_dataset(tracked: Workspace) -> None:
    (only,) = runs(tracked)
    assert {"params.yaml", "plots", "metrics", "samples"} <= names(tracked, only.info.run_id)
    assert "samples/step_000020.txt" in names(tracked, only.info.run_id, "samples")
    assert "samples/final/001.txt" in names(tracked, only.info.run_id, "samples/final")
    wanted = {"data.sha256", "prepared.sha256", "lock.sha256", "unroll.root", "mlflow.note.content"}
    assert wanted <= set(only.data.tags)
    (dataset,) = only.inputs.dataset_inputs
    assert dataset.dataset.name == "data/raw/corpus.txt"
    assert Path(tracked.home / "mlartifacts").is_dir()


def test_the_model_is_one_that_mlflow_knows(tracked: Workspace) -> None:
    (only,) = runs(tracked)
    (model,) = client(tracked).search_logged_models([only.info.experiment_id])
    assert [each.model_id for each in only.outputs.model_outputs] == [model.model_id]
    assert (model.name, model.status, model.source_run_id) == ("model", "READY", only.info.run_id)
    assert model.params == only.data.params
    assert model.tags["model.sha256"] == only.data.tags["model.sha256"]
    assert {"val/best_loss", "test/bpc", "baseline/ngram5_bpc"} <= {each.key for each in model.metrics}
    files = {each.path for each in client(tracked).list_logged_model_artifacts(model.model_id)}
    assert files == {"MLmodel", "model", "python_env.yaml", "requirements.txt", "unroll.zip"}
    logged = Path(model.artifact_location.removeprefix("file://")) / "model"
    assert snapshot(logged, ".") == snapshot(tracked.model, ".")


def test_the_run_is_described_by_the_card_and_what_was_measured(tracked: Workspace) -> None:
    (only,) = runs(tracked)
    note = only.data.tags["mlflow.note.content"]
    assert note == (tracked.card / "README.md").read_text(encoding="utf-8")
    assert f"Test split: {only.data.metrics['test/bpc']:.4f} bits per character." in note
    (model,) = client(tracked).search_logged_models([only.info.experiment_id])
    assert model.tags["mlflow.note.content"] == note
    assert f"| **LSTM** | **{only.data.metrics['test/bpc']:.4f}** |" in note
    assert f"| xz | {only.data.metrics['baseline/xz_bpc']:.4f} |" in note


def test_a_training_that_was_stopped_when_its_model_was_logged_has_one(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tiny(*ON)
    run(workspace, config, "prepare")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):

        def stop(*_: object) -> None:
            raise KeyboardInterrupt

        patch.setattr(Tracker, "metrics", stop)
        run(workspace, config, "train")
    run(workspace, config, "train")
    (only,) = runs(workspace)
    (model,) = client(workspace).search_logged_models([only.info.experiment_id])
    assert model.status == "READY"


def test_a_model_that_was_logged_in_part_is_the_same_one_later(
    workspace: Workspace, tracked: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = None
    for name in ("log_outputs", "log_model_artifacts", "finalize_logged_model", None):
        with monkeypatch.context() as patch:
            if name is not None:

                def fail(*_: object, **__: object) -> None:
                    raise OSError("full")

                patch.setattr(MlflowClient, name, fail)
            made = tracker(workspace, f"sqlite:///{workspace.home / 'mlflow.db'}", run_id)
            run_id = made.run_id
            made.model(tracked.model, {"model.sha256": "x"})
            made.finish()
            assert (name is None) == made.where().startswith("MLflow run")
    found = client(workspace).get_run(made.run_id)
    (model,) = client(workspace).search_logged_models([found.info.experiment_id])
    assert (model.status, model.source_run_id) == ("READY", made.run_id)
    assert [each.model_id for each in found.outputs.model_outputs] == [model.model_id]


def test_a_training_that_was_stopped_goes_on_in_its_run(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often: one run, no point missing, none twice."""
    config = tiny(*ON, "runtime.checkpoint.steps=2", "train.log_steps=1")
    run(workspace, config, "prepare")
    for step in (7, 8, 15):

        def fail(*_: object, step: int = step, whole: Any = Learner.training_step) -> Any:
            if _[0].global_step == step:        # type: ignore[attr-defined]
                raise KeyError("stopped")
            return whole(*_)

        with monkeypatch.context() as patch, pytest.raises(KeyError):
            patch.setattr(Learner, "training_step", fail)
            run(workspace, config, "train")
        (only,) = runs(workspace)
        assert only.info.status == "FAILED"
    run(workspace, config, "train")
    (only,) = runs(workspace)
    assert only.info.status == "FINISHED"
    points = client(workspace).get_metric_history(only.info.run_id, "train/loss")
    assert [point.step for point in points] == list(range(1, 21))
    assert [point.timestamp - only.info.start_time for point in points] == list(range(1, 21))
    run(workspace, config, "train")     # that training has ended: this is another
    assert len(runs(workspace)) == 2


def test_a_later_stage_in_a_fresh_store_opens_a_run_of_the_same_model(workspace: Workspace) -> None:
    run(workspace, tiny(), "prepare", "train")
    run(workspace, tiny(*ON), "generate")
    (only,) = runs(workspace)
    assert only.data.tags["model.sha256"] == sha256(workspace.model / "model.safetensors")
    assert "samples/words_in_corpus" in only.data.metrics


@pytest.fixture
def dead_server() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def test_a_dead_server_is_said_once_and_the_run_goes_on(
    workspace: Workspace, dead_server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run(workspace, tiny())
    untracked = snapshot(workspace.root)
    run(workspace, tiny(*ON, f"runtime.tracking.uri={dead_server}"), "prepare", "train")
    assert capsys.readouterr().err.count(f"tracking is off from here on: {dead_server} does not answer") == 1
    assert snapshot(workspace.root) == untracked


def tracker(workspace: Workspace, uri: str, run_id: str | None = None) -> Tracker:
    config = TrackingConfig(enabled=True, uri=uri, experiment="x", sample_length=0, on_failure="continue")
    made = Tracker(config, workspace)
    made.start("x", {"a": 1}, {}, {"name": "x", "digest": "0" * 64}, run_id)
    return made


def test_a_silent_server_does_not_hold_the_work_up(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It answers nothing before all points are made: were one of them to wait for it, this test would not end."""
    asked, worked = threading.Event(), threading.Event()
    connect = Run.connect

    def connecting(run: Run) -> None:
        asked.set()
        assert worked.wait(60)
        connect(run)

    monkeypatch.setattr(Run, "connect", connecting)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        uri = f"http://127.0.0.1:{silent.getsockname()[1]}"
        made = tracker(workspace, uri)
        assert asked.wait(60)
        for step in range(10_000):
            made.point("train/loss", 1.0, step)
        made.flush()
        made.text("sample", "samples/step.txt")
        worked.set()
        made.finish()
    assert capsys.readouterr().err.count(f"tracking is off from here on: {uri} does not answer") == 1
    assert made.where() == "not logged to MLflow"


def test_points_arrive_in_order_and_all_of_them(workspace: Workspace) -> None:
    made = tracker(workspace, f"sqlite:///{workspace.home / 'mlflow.db'}")
    for step in range(2500):
        made.point("train/loss", step / 7, step)
        if step % 1000 == 600:
            made.flush()
    made.finish("FAILED")
    points = client(workspace).get_metric_history(made.run_id, "train/loss")
    assert [(each.step, each.value) for each in points] == [(step, step / 7) for step in range(2500)]
    assert client(workspace).get_run(made.run_id).info.status == "FAILED"


def test_a_dead_server_stops_the_run_where_that_is_asked_for(workspace: Workspace, dead_server: str) -> None:
    run(workspace, tiny(), "prepare")
    asked = tiny(*ON, f"runtime.tracking.uri={dead_server}", "runtime.tracking.on_failure=stop")
    with refused("server", "runtime.tracking", dead_server):
        run(workspace, asked, "train")
    assert not workspace.model.exists()


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory, english: str) -> tuple[Workspace, dict[str, bytes]]:
    """All outputs of the plain configuration."""
    folder = tmp_path_factory.mktemp("plain")
    (folder / "data" / "raw").mkdir(parents=True)
    (folder / "data" / "raw" / "corpus.txt").write_text(english)
    workspace = Workspace(folder, folder)
    run(workspace, tiny())
    return workspace, snapshot(folder)


@pytest.mark.parametrize(
    "keys",
    [["workers=2", "progress=true", "mirror=elsewhere"], ["checkpoint.steps=3", "checkpoint.minutes=0.0001"],
     ["tracking.enabled=true", "tracking.experiment=other", "tracking.on_failure=stop", "tracking.sample_length=5",
      "tracking.uri=sqlite:///other.db"]],
    ids=["machine", "checkpoint", "tracking"],
)
def test_no_key_of_runtime_changes_a_byte(
    plain: tuple[Workspace, dict[str, bytes]], keys: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, expected = plain
    monkeypatch.chdir(workspace.root)
    for folder in ("artifacts", "metrics", "plots", "data/prepared"):
        shutil.rmtree(workspace.root / folder)
    run(workspace, tiny(*(f"runtime.{key}" for key in keys)))
    assert snapshot(workspace.root) == expected
