"""How long training waits for MLflow: points, models, and servers that are slow, dead or silent.

    python -m benchmarks.tracking       four minutes on two cores

Each case is a run of its own: `STEPS` steps of `POINTS` points, logged as the train stage does. "at_once": nothing else
is done; "while_training": each step multiplies matrices for some milliseconds. `called` are the seconds spent in the
tracker's functions, `finish` those that its end then waits, `cpu` the processor's in this process, which a thread takes
beside a training. "silent_midway" is a server that stops answering at half time. Results go to
benchmarks/results/tracking.json.
"""

import argparse
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import torch
from mlflow import MlflowClient

from benchmarks.servers import tracking_server
from unroll.base.environment import environment
from unroll.base.files import write_json
from unroll.base.workspace import Workspace
from unroll.compose import compose
from unroll.config.runtime import TrackingConfig
from unroll.data.store import open_prepared
from unroll.models.folder import save_model
from unroll.models.network import build
from unroll.stages.prepare import prepare
from unroll.tracking import Tracker

PROJECT = Path(__file__).parent.parent
STEPS, POINTS = 2500, 4
Seconds = dict[str, float]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--out", type=Path, default=PROJECT / "benchmarks" / "results" / "tracking.json")
    chosen = options.parse_args()
    torch.set_num_threads(1)
    os.environ.pop("MLFLOW_TRACKING_URI", None)
    results: dict[str, Any] = {}
    with TemporaryDirectory() as folder:
        workspace = Workspace(PROJECT, Path(folder))
        os.environ["DVC_ROOT"] = folder
        log(workspace, None, 0, steps=1)        # a fresh database is made once
        model = random_model(workspace)
        with tracking_server(Path(folder)) as (uri, _):
            for name, store in {"sqlite": None, "server": uri}.items():
                results[name] = measured(workspace, store, chosen.rounds)
                results[name]["model"] = log_model(workspace, store, model)
                print(name, results[name], flush=True)
        results["dead"] = measured(workspace, uri, 1)
        print("dead", results["dead"], flush=True)
        with silent() as uri:
            results["silent"] = measured(workspace, uri, 1)
        print("silent", results["silent"], flush=True)
        with tracking_server(Path(folder)) as (uri, process):
            results["silent_midway"] = {"while_training": log(workspace, uri, 200, frozen=process)}
        print("silent_midway", results["silent_midway"], flush=True)
    results |= {"machine": environment("cpu") | {"cores": os.cpu_count()}, "points": STEPS * POINTS}
    write_json(chosen.out, results)


def measured(workspace: Workspace, uri: str | None, rounds: int) -> dict[str, Seconds]:
    """Medians over rounds."""
    at_once = [log(workspace, uri, 0) for _ in range(rounds)]
    beside = [log(workspace, uri, 200) for _ in range(rounds)]
    return {name: {key: median(each[key] for each in found) for key in found[0]}
            for name, found in (("at_once", at_once), ("while_training", beside))}


def log(
    workspace: Workspace, uri: str | None, size: int, steps: int = STEPS,
    frozen: subprocess.Popen[bytes] | None = None,
) -> Seconds:
    """One run; each step multiplies matrices of this size. A server to be `frozen` stops answering at half time."""
    config = TrackingConfig(enabled=True, uri=uri, experiment="bench", sample_length=0, on_failure="continue")
    cpu = -time.process_time()
    called = -time.perf_counter()
    tracker = Tracker(config, workspace)
    tracker.start("bench", {"size": size}, {}, {"name": "bench", "digest": "0" * 64})
    called += time.perf_counter()
    matrix = torch.rand(max(1, size), max(1, size))
    for step in range(steps):
        if frozen is not None and step == steps // 2:
            os.killpg(frozen.pid, signal.SIGSTOP)
        for _ in range(15 if size else 0):
            torch.mm(matrix, matrix)
        called -= time.perf_counter()
        for point in range(POINTS):
            tracker.point(f"train/{point}", step / steps, step)
        called += time.perf_counter()
    finish = -time.perf_counter()
    tracker.finish()
    finish += time.perf_counter()
    return {"called": called, "finish": finish, **({} if size else {"cpu": cpu + time.process_time()})}


def random_model(workspace: Workspace) -> Path:
    """The default model's folder, untrained."""
    text, config = compose(PROJECT / "conf", [])
    workspace.params.write_text(text, encoding="utf-8")
    prepare(workspace, config.runtime, config.data)
    prepared = open_prepared(workspace.prepared)
    save_model(workspace.model, build(config.model, prepared.spec, 1), config.model, prepared)
    return workspace.model


def log_model(workspace: Workspace, uri: str | None, folder: Path) -> dict[str, float]:
    """What it adds to the train stage to log a model, and what of bytes to its folder; before, plain files went up."""
    config = TrackingConfig(enabled=True, uri=uri, experiment="bench", sample_length=0, on_failure="stop")
    found = []
    for _ in range(6):
        tracker = Tracker(config, workspace)
        tracker.start("bench", {}, {}, {"name": "bench", "digest": "0" * 64})
        plain = time.perf_counter()
        tracker.files(folder, folder="plain")
        plain, started = time.perf_counter() - plain, time.perf_counter()
        tracker.model(folder, {"model.sha256": "0" * 64})
        found.append((time.perf_counter() - started, plain))
        tracker.finish()
    client = MlflowClient(tracker._uri)
    (model,) = client.get_run(tracker.run_id).outputs.model_outputs
    logged = client.get_logged_model(model.model_id)
    files = [each for each in client.list_logged_model_artifacts(logged.model_id) if not each.is_dir]
    return {"first_seconds": found[0][0], "seconds": median(seconds for seconds, _ in found[1:]),
            "plain_files_seconds": median(plain for _, plain in found[1:]),
            "added_bytes": sum(each.file_size for each in files),
            "folder_bytes": sum(each.stat().st_size for each in folder.iterdir())}


@contextmanager
def silent() -> Iterator[str]:
    """Connections are taken and never answered."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


if __name__ == "__main__":
    main()
