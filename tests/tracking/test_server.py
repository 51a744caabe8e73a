"""A real MLflow server on the loopback, artifacts through it: register, fetch, serve, points, a death; `make test-server`."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

import unroll
from benchmarks.servers import QUIET, free_port, serving, tracking_server
from tests.conftest import run, tiny
from tests.prediction.conftest import ZOO, core, make, save_random
from unroll.base.workspace import Workspace
from unroll.commands.cli import main
from unroll.config.runtime import TrackingConfig
from unroll.tracking import Tracker

pytestmark = pytest.mark.server
PLAIN = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "MLFLOW_TRACKING_URI")} | QUIET


@contextmanager
def answering(path: str, folder: Path, *arguments: str, **environment: str) -> Iterator[str]:
    """The address of `mlflow …`, once `path` answers."""
    port = free_port()
    command = [sys.executable, "-m", "mlflow", *arguments, "--host", "127.0.0.1", "--port", str(port)]
    with serving(command, folder, PLAIN | environment, url := f"http://127.0.0.1:{port}", path):
        yield url


@pytest.fixture(scope="module")
def uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with tracking_server(tmp_path_factory.mktemp("server")) as (address, _):
        yield address


def post(address: str, body: dict[str, Any]) -> Any:
    request = urllib.request.Request(address, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def register(uri: str, run_id: str, name: str) -> None:
    """What the button of MLflow's page sends."""
    client = MlflowClient(uri)
    (model,) = client.get_run(run_id).outputs.model_outputs
    post(f"{uri}/ajax-api/2.0/mlflow/registered-models/create", {"name": name})
    made = post(f"{uri}/ajax-api/2.0/mlflow/model-versions/create", {
        "name": name, "source": f"models:/{model.model_id}", "run_id": run_id, "tags": [], "model_id": model.model_id})
    client.set_registered_model_alias(name, "champion", made["model_version"]["version"])


def tracker(workspace: Workspace, uri: str) -> Tracker:
    config = TrackingConfig(enabled=True, uri=uri, experiment="x", sample_length=0, on_failure="continue")
    made = Tracker(config, workspace)
    made.start("x", {"a": 1}, {}, {"name": "x", "digest": "0" * 64})
    return made


def test_a_generator_is_registered_by_the_page_fetched_and_served(
    workspace: Workspace, uri: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    run(workspace, tiny("runtime.tracking.enabled=true", f"runtime.tracking.uri={uri}"))
    client = MlflowClient(uri)
    (found,) = client.search_runs([each.experiment_id for each in client.search_experiments() if each.name == "unroll"])
    assert "## Test split" in found.data.tags["mlflow.note.content"]
    register(uri, found.info.run_id, "writer")

    monkeypatch.chdir(workspace.root)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    Path("given.txt").write_text("The graph", encoding="utf-8")
    main(["predict", "given.txt", "-o", "here.csv"])
    main(["predict", "given.txt", "-o", "there.csv", "--model", "models:/writer@champion"])
    assert Path("here.csv").read_text() == Path("there.csv").read_text()

    asked = {"length": 12, "temperature": 0.5, "top_k": 5, "top_p": 0.9, "seed": 4}
    expected = [{"text": each} for each in unroll.load(workspace.model).generate(["The ", ""], **asked)]
    with answering("/ping", tmp_path, "models", "serve", "-m", "models:/writer@champion", "--env-manager", "local",
                   MLFLOW_TRACKING_URI=uri) as served:
        assert post(f"{served}/invocations", {"inputs": ["The ", ""], "params": asked})["predictions"] == expected
        records = {"dataframe_records": [{"prompt": "The "}, {"prompt": ""}], "params": asked}
        assert post(f"{served}/invocations", records)["predictions"] == expected


def test_a_classifier_is_registered_by_one_call_and_served(tmp_path: Path, uri: str) -> None:
    workspace, prepared = make(tmp_path, ZOO["class"][0])
    predictor = save_random(prepared, workspace.model, ZOO["class"][1], core("gru"), 1)
    made = tracker(workspace, uri)
    made.model(workspace.model, {})
    made.finish()
    call = f"import mlflow; mlflow.register_model('runs:/{made.run_id}/model', 'namer')"
    subprocess.run([sys.executable, "-c", call], env=PLAIN | {"MLFLOW_TRACKING_URI": uri}, cwd=tmp_path, check=True)
    given = [[[5, -1], [4, 2], [6, 0.5]], [[1, 2]]]
    with answering("/ping", tmp_path, "models", "serve", "-m", "models:/namer/1", "--env-manager", "local",
                   MLFLOW_TRACKING_URI=uri) as served:
        rows = post(f"{served}/invocations", {"dataframe_records": [{"sequence": each} for each in given]})["predictions"]
    for row, expected in zip(rows, predictor.predict(given), strict=True):
        assert [row[f"p_{name}"] for name in predictor.classes] == pytest.approx(expected.tolist())


def test_ten_thousand_points_arrive(workspace: Workspace, uri: str) -> None:
    made = tracker(workspace, uri)
    for step in range(10_000):
        made.point("train/loss", step / 7, step)
    made.finish()
    points = MlflowClient(uri).get_metric_history(made.run_id, "train/loss")
    assert [(each.step, each.value) for each in points] == [(step, step / 7) for step in range(10_000)]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_a_server_that_dies_or_falls_silent_is_one_line(
    workspace: Workspace, tmp_path: Path, how: signal.Signals, capsys: pytest.CaptureFixture[str]
) -> None:
    with tracking_server(tmp_path) as (address, process):
        made = tracker(workspace, address)
        made.point("train/loss", 1.0, 1)
        made.finish()
        assert made.where().startswith("MLflow run")
        os.killpg(process.pid, how)
        started = time.monotonic()
        for step in range(2000):
            made.point("train/loss", 1.0, step)
            made.text("sample", f"samples/{step}.txt") if step % 500 == 0 else None
        assert time.monotonic() - started < 1
        made.finish()
        assert time.monotonic() - started < 15
    assert capsys.readouterr().err.count(f"tracking is off from here on: {address} does not answer") == 1
    assert made.where() == "not logged to MLflow"
