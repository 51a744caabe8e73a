"""What the pipeline costs beside a bare PyTorch loop, what a checkpoint costs, and what several processes give.

    python -m benchmarks.overhead                       all of it, half an hour on two idle cores
    python -m benchmarks.overhead stack --rounds 3      one part: stack, checkpoint, processes, precision

`stack` trains the same network twice, in turns, in one process: through the train stage with MLflow, checkpoints and
progress, and by benchmarks/bare.py; both end in nearly the same weights. Times are of the steps between the first and
the last row of the curve; ratios are of neighbours in time, and their median is reported. Results go to
benchmarks/results/overhead.json.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import bare
from unroll.base.environment import environment
from unroll.base.files import write_json
from unroll.base.workspace import Workspace
from unroll.compose import compose
from unroll.config.schema import Config
from unroll.data.store import open_prepared
from unroll.models.folder import read_weights
from unroll.models.network import build
from unroll.stages import train as stage
from unroll.stages.prepare import prepare
from unroll.training.checkpoints import Files

PROJECT = Path(__file__).parent.parent
ROWS = 10       # steps between rows of the curve, at which the clock is read
BATCHES = ["train.batch_size=64", "train.bptt=128", "train.epochs=9", f"train.log_steps={ROWS}"]
PARTS = ("stack", "checkpoint", "processes", "precision")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("parts", nargs="*", default=list(PARTS), metavar="PART")
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--steps", type=int, default=150)
    options.add_argument("--out", type=Path, default=PROJECT / "benchmarks" / "results" / "overhead.json")
    options.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.child:
        child(chosen.child)
        return
    results = json.loads(chosen.out.read_text()) if chosen.out.exists() else {}
    with TemporaryDirectory() as folder:
        workspace = Workspace(PROJECT, Path(folder))
        os.environ |= {"DVC_ROOT": folder, "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db"}
        prepare(workspace, frozen(workspace).runtime, frozen(workspace).data)
        measures: dict[str, Callable[[Workspace, int, int], dict[str, Any]]] = {
            "stack": stack, "checkpoint": checkpoint, "processes": processes, "precision": precision}
        for part in chosen.parts:
            results[part] = measures[part](workspace, chosen.rounds, chosen.steps)
            print(f"{part}: {results[part]}", flush=True)
    results |= {"machine": environment("cpu") | {"cores": os.cpu_count()}, "rounds": chosen.rounds,
                "steps": chosen.steps}
    write_json(chosen.out, results)


def frozen(workspace: Workspace, *overrides: str) -> Config:
    text, config = compose(PROJECT / "conf", [*BATCHES, *overrides])
    workspace.params.write_text(text, encoding="utf-8")
    return config


def stack(workspace: Workspace, rounds: int, steps: int) -> dict[str, Any]:
    """Time of a step through the pipeline, by the time of a bare one."""
    found = {}
    for name, more in {"default": [], "128 units": ["model.core.hidden_size=128"]}.items():
        config = frozen(workspace, f"train.max_steps={steps}", f"train.validate_steps={steps}",
                        "train.schedule.warmup_steps=5", *more)
        pairs = []
        for _ in range(rounds):
            full, plain = through_pipeline(workspace, config), by_hand(workspace, config)
            pairs.append((full, plain))
        found[name] = {"ratio": median(full / plain for full, plain in pairs),
                       "milliseconds": 1000 * median(full for full, _ in pairs),
                       "bare_milliseconds": 1000 * median(plain for _, plain in pairs),
                       "weights_apart": apart(workspace, config)}
    return found


def through_pipeline(workspace: Workspace, config: Config) -> float:
    """Seconds a step."""
    times = [time.perf_counter()]
    with timed(times):
        stage.train(workspace, config.runtime, config.data, config.model, config.train, config.pretrained)
    return (times[-1] - times[1]) / (ROWS * (len(times) - 2))


def by_hand(workspace: Workspace, config: Config) -> float:
    times: list[float] = []
    bare.train(open_prepared(workspace.prepared), config.model, config.train, times)
    rows = times[ROWS - 1 :: ROWS]
    return (rows[-1] - rows[0]) / (ROWS * (len(rows) - 1))


def apart(workspace: Workspace, config: Config) -> float:
    """Largest difference between weights of the two: were it large, they would not have done the same work."""
    prepared = open_prepared(workspace.prepared)
    one, other = build(config.model, prepared.spec, 0), bare.train(prepared, config.model, config.train, [])
    read_weights(workspace.model / "model.safetensors", one)
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return max(float((a - b).abs().max()) for a, b in pairs)


class timed:
    """While it lasts, the moment of every row of the training curve is noted."""

    def __init__(self, times: list[float]) -> None:
        self._times, self._real = times, stage.watchers

    def __enter__(self) -> None:
        def watchers(*arguments: Any) -> Any:
            report, preview = self._real(*arguments)

            def noted(curve: str, row: dict[str, float]) -> None:
                if curve == "train":
                    self._times.append(time.perf_counter())
                report(curve, row)

            return noted, preview

        stage.watchers = watchers   # type: ignore[assignment]

    def __exit__(self, *_: object) -> None:
        stage.watchers = self._real


def checkpoint(workspace: Workspace, rounds: int, steps: int) -> dict[str, Any]:
    """Share of a minute that saving the default model takes, synced to the disk."""
    seconds: list[float] = []
    save = Files.save_checkpoint

    def clocked(*arguments: Any, **others: Any) -> None:
        started = time.perf_counter()
        save(*arguments, **others)
        seconds.append(time.perf_counter() - started)

    config = frozen(workspace, "train.max_steps=60", "runtime.checkpoint.steps=5", "runtime.tracking.enabled=false")
    Files.save_checkpoint = clocked     # type: ignore[method-assign]
    try:
        through_pipeline(workspace, config)
    finally:
        Files.save_checkpoint = save    # type: ignore[method-assign]
    return {"milliseconds": 1000 * median(seconds), "share_of_a_minute": median(seconds) / 60, "saved": len(seconds)}


def processes(workspace: Workspace, rounds: int, steps: int) -> dict[str, Any]:
    """Symbols a second of two processes of one thread, by those of one process with two."""
    pairs = []
    for _ in range(rounds):
        two, one = (run(workspace, steps, f"train.devices={devices}", f"train.threads={3 - devices}")
                    for devices in (2, 1))
        pairs.append((one / two, two))
    return {"ratio": median(ratio for ratio, _ in pairs), "milliseconds": 1000 * median(two for _, two in pairs)}


def precision(workspace: Workspace, rounds: int, steps: int) -> dict[str, Any]:
    """Symbols a second of bf16-mixed by those of float32, two layers of 512, where the processor has bfloat16."""
    instructions = environment("cpu")["processor"].get("instructions", "")
    if not {"avx512_bf16", "amx_bf16", "bf16"} & {*instructions.split()}:
        return {"not measured": "this processor has no bfloat16 arithmetic"}
    sizes = ["model.core.hidden_size=512", "model.core.num_layers=2"]
    pairs = [tuple(run(workspace, steps, *sizes, f"train.precision={name}") for name in ("bf16-mixed", "32-true"))
             for _ in range(rounds)]
    return {"ratio": median(full / half for half, full in pairs)}


def run(workspace: Workspace, steps: int, *overrides: str) -> float:
    """Seconds a step of `unroll train` in processes of its own."""
    frozen(workspace, f"train.max_steps={steps}", f"train.validate_steps={steps}", "runtime.progress=false",
           "runtime.tracking.enabled=false", *overrides)
    done = subprocess.run([sys.executable, "-m", "benchmarks.overhead", "--child", str(workspace.root)], cwd=PROJECT,
                          env=os.environ | {"PYTHONPATH": "src"}, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    times = json.loads(done.stdout.splitlines()[-1])
    return float((times[-1] - times[1]) / (ROWS * (len(times) - 2)))


def child(root: Path) -> None:
    from unroll.base.processes import rank
    from unroll.stages.pipeline import run_stages

    times: list[float] = [time.perf_counter()]
    with timed(times):
        run_stages(("train",), Workspace(PROJECT, root))
    if rank() == 0:
        print(json.dumps(times))


if __name__ == "__main__":
    main()
