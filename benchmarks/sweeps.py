"""What a sweep costs and loses: its own seconds a job, metrics of parallel jobs, symbols a second of two at a time.

    python -m benchmarks.sweeps                     everything, a quarter of an hour on two cores
    python -m benchmarks.sweeps complete server     some parts: complete, server, overhead, throughput

Everything runs in a clone of the last commit, so that the repository's own runs are left alone. Results go to
benchmarks/results/sweeps.json.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from mlflow import MlflowClient

from benchmarks.servers import tracking_server
from unroll.base.environment import environment
from unroll.base.files import write_json

PROJECT = Path(__file__).parent.parent
SMALL = ["experiment=smoke", "data.package=pooch", f"data.version={version('pooch')}", "runtime.progress=false",
         "train.threads=1"]
TWELVE = [*SMALL, "model=rnn,lstm,gru", "train.seed=1,2,3,4"]


def main() -> None:
    parts: dict[str, Callable[[Path], Any]] = {
        "complete": complete, "server": server, "overhead": overhead, "throughput": throughput}
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("parts", nargs="*", default=list(parts), metavar="PART", help=", ".join(parts))
    options.add_argument("--out", type=Path, default=PROJECT / "benchmarks" / "results" / "sweeps.json")
    chosen = options.parse_args()
    results = json.loads(chosen.out.read_text()) if chosen.out.exists() else {}
    for part in chosen.parts:
        with TemporaryDirectory() as folder:
            clone = Path(folder) / "clone"
            subprocess.run(["git", "clone", "-q", PROJECT, clone], check=True)
            results[part] = parts[part](clone)
            print(f"{part}: {results[part]}", flush=True)
        results["machine"] = environment("cpu") | {"cores": os.cpu_count()}
        write_json(chosen.out, results)


def complete(clone: Path) -> dict[str, Any]:
    """Twelve jobs, four at a time, on SQLite: runs that are whole, and where they belong."""
    sweep(clone, *TWELVE, "hydra.launcher.jobs=4", "--name", "twelve")
    return whole(f"sqlite:///{clone / 'mlflow.db'}")


def server(clone: Path) -> dict[str, Any]:
    """The same through a server."""
    with tracking_server(clone) as (uri, _):
        sweep(clone, *TWELVE, "hydra.launcher.jobs=4", "--name", "twelve", MLFLOW_TRACKING_URI=uri)
        return whole(uri)


def overhead(clone: Path) -> dict[str, float]:
    """Seconds a job beyond its stages', one job at a time."""
    started = time.perf_counter()
    sweep(clone, *SMALL, "train.seed=1,2,3,4,5,6,7,8", "hydra.launcher.jobs=1", "--name", "eight")
    wall = time.perf_counter() - started
    states = [json.loads(each.read_text()) for each in clone.glob(".unroll/sweeps/eight/*/job/state.json")]
    stages = sum(seconds for state in states for _, seconds in state["stages"])
    return {"jobs": len(states), "wall_seconds": round(wall, 1), "stage_seconds": round(stages, 1),
            "seconds_a_job": round((wall - stages) / len(states), 2)}


def throughput(clone: Path) -> dict[str, Any]:
    """Symbols a second of the default model: one job of one thread, of two, and two jobs of one thread at a time."""
    budget = ["train.max_steps=80", "train.epochs=9", "runtime.progress=false", "evaluate.ngram_order=1",
              "evaluate.baseline_tokens=1000", "evaluate.train_tokens=1000", "evaluate.gradient_reach=2",
              "runtime.tracking.sample_length=0", "generate.count=1", "generate.length=50"]
    found: dict[str, list[float]] = {"one thread": [], "two threads": [], "two jobs": []}
    for turn in range(3):
        for name, overrides in (("one thread", ["train.threads=1", f"train.seed={10 * turn}"]),
                                ("two threads", ["train.threads=2", f"train.seed={10 * turn}"]),
                                ("two jobs", ["train.threads=1", f"train.seed={10 * turn + 1},{10 * turn + 2}"])):
            group = f"{name.replace(' ', '-')}-{turn}"
            sweep(clone, *budget, *overrides, "--name", group)
            client = MlflowClient(f"sqlite:///{clone / 'mlflow.db'}")
            runs = client.search_runs([_experiment(client)], f"tags.`unroll.group` = '{group}'")
            found[name].append(sum(each.data.metrics.get("system/symbols_per_second", 0) for each in runs))
    middle = {name: round(median(each)) for name, each in found.items()}
    pairs = zip(found["two jobs"], found["one thread"], strict=True)
    return {"symbols_a_second": middle, "two jobs to one": round(median(two / one for two, one in pairs), 2)}


def whole(uri: str) -> dict[str, Any]:
    """How many runs have finished below one parent, and whether every curve has every point."""
    client = MlflowClient(uri)
    runs = client.search_runs([_experiment(client)])
    parents = [each for each in runs if "mlflow.parentRunId" not in each.data.tags]
    children = [each for each in runs if each.data.tags.get("mlflow.parentRunId") == parents[0].info.run_id]
    curves = [[point.step for point in client.get_metric_history(each.info.run_id, "train/loss")] for each in children]
    return {"parents": len(parents), "children": len(children),
            "finished": sum(each.info.status == "FINISHED" for each in children),
            "whole curves": sum(each == [20, 40, 60] for each in curves),
            "metrics of each": sorted({len(each.data.metrics) for each in children})}


def sweep(clone: Path, *arguments: str, **settings: str) -> None:
    surroundings = {name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"}
    subprocess.run([sys.executable, "-m", "unroll", "sweep", *arguments], cwd=clone, check=True,
                   env=surroundings | {"PYTHONPATH": "src"} | settings, stdout=subprocess.DEVNULL)


def _experiment(client: MlflowClient) -> str:
    found = client.get_experiment_by_name("unroll")
    assert found is not None
    number: str = found.experiment_id
    return number


if __name__ == "__main__":
    main()
