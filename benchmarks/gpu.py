"""Everything about a GPU that can be asked of one, in one command; it needs PyTorch with CUDA and one device.

    python -m benchmarks.gpu                    all of it
    python -m benchmarks.gpu twice --steps 50   one part: twice, resumed, ranks, speed, generation

`twice` trains every cell in every precision two times and compares the bytes; `resumed` kills a training and compares
what it ends with; `ranks` trains in two processes that share the device, over gloo, and compares losses; `speed` counts
symbols a second in each precision, and beside a bare loop (benchmarks/bare.py); `generation` does so at batch 1, the
network's step captured as a CUDA graph and not, and compares what both say with the CPU's. Results go to
benchmarks/results/gpu.json. Every training is `unroll train` in a process of its own.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from benchmarks import bare
from benchmarks.chaos import outputs
from benchmarks.generate import by_engine, in_turns, random_network
from benchmarks.overhead import ROWS, timed
from unroll.base.environment import environment
from unroll.base.files import write_json
from unroll.base.workspace import Workspace
from unroll.compose import compose
from unroll.config.load import load
from unroll.config.sampling import sampling
from unroll.data.store import open_prepared
from unroll.generation.loop import Drawing, walk
from unroll.generation.torch_engine import TorchEngine
from unroll.stages.pipeline import run_stages

PROJECT = Path(__file__).parent.parent
CELLS = ("rnn", "lstm", "gru")
PRECISIONS = ("32-true", "bf16-mixed", "16-mixed")
FIXED = ["train.accelerator=gpu", "train.epochs=99", f"train.log_steps={ROWS}", "runtime.progress=false",
         "runtime.tracking.enabled=false", "model.core.num_layers=2", "model.core.dropout=0.2"]
LARGE = ["model.core.hidden_size=512", "train.batch_size=64", "train.bptt=128"]


def main() -> None:
    parts: dict[str, Callable[[Path, int], dict[str, Any]]] = {
        "twice": twice, "resumed": resumed, "ranks": ranks, "speed": speed,
        "generation": generation}
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("parts", nargs="*", default=list(parts), metavar="PART", help=", ".join(parts))
    options.add_argument("--steps", type=int, default=200)
    options.add_argument("--out", type=Path, default=PROJECT / "benchmarks" / "results" / "gpu.json")
    options.add_argument("--child", nargs=2, metavar=("HOW", "ROOT"), help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.child:
        child(chosen.child[0], Path(chosen.child[1]))
        return
    if not torch.cuda.is_available():
        sys.exit("gpu.py: PyTorch finds no GPU here, so that there is nothing to measure.")
    results = json.loads(chosen.out.read_text()) if chosen.out.exists() else {}
    with TemporaryDirectory() as folder:
        root = Path(folder)
        freeze(root, 1)
        run_stages(("prepare",), Workspace(PROJECT, root))
        for part in chosen.parts:
            results[part] = parts[part](root, chosen.steps)
            print(f"{part}: {json.dumps(results[part], indent=2)}", flush=True)
    write_json(chosen.out, {**results, "machine": environment("gpu"), "steps": chosen.steps})


def freeze(root: Path, steps: int, *overrides: str) -> None:
    limits = [f"train.max_steps={steps}", f"train.validate_steps={max(steps // 2, 1)}"]
    (root / "params.yaml").write_text(compose(PROJECT / "conf", [*FIXED, *limits, *overrides])[0], encoding="utf-8")


def start(root: Path, how: str = "plain", **more: str) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, "-m", "benchmarks.gpu", "--child", how, str(root)], cwd=PROJECT, text=True,
                            env=os.environ | {"PYTHONPATH": "src", "DVC_ROOT": str(root)} | more,
                            stdout=subprocess.PIPE)


def run(root: Path, how: str = "plain") -> str:
    process = start(root, how)
    said, _ = process.communicate()
    if process.returncode:
        raise RuntimeError(f"exit code {process.returncode}")
    return said


def twice(root: Path, steps: int) -> dict[str, Any]:
    """Whether the outputs of two trainings are the same bytes."""
    found = {}
    for cell in CELLS:
        for precision in PRECISIONS:
            freeze(root, steps, f"model={cell}", *FIXED[-2:], f"train.precision={precision}")
            run(root)
            first = outputs(root)
            run(root)
            found[f"{cell} {precision}"] = first == outputs(root)
    return found


def resumed(root: Path, steps: int) -> dict[str, Any]:
    """Whether a training that was killed in its midst ends in the bytes of one that was not."""
    found = {}
    for precision in PRECISIONS:
        settings = [f"train.precision={precision}", "runtime.checkpoint.steps=10"]
        freeze(root, steps, *settings)
        run(root)
        whole = outputs(root)
        process = start(root)
        while process.poll() is None and not list((root / ".unroll").rglob("step-*")):
            pass
        process.kill()
        process.communicate()
        found[precision] = {"stopped in its midst": bool(list((root / ".unroll").rglob("step-*"))),
                            "went on": "going on from" in run(root), "identical": outputs(root) == whole}
    return found


def ranks(root: Path, steps: int) -> dict[str, Any]:
    """Largest relative difference between the losses of one process and of two that share the device."""
    losses = []
    for nodes in (1, 2):
        freeze(root, steps, f"train.num_nodes={nodes}", "train.log_steps=1")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            meeting = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free.getsockname()[1])}
        processes = [start(root, "gloo", NODE_RANK=str(node), **meeting) for node in range(nodes)]
        if any([process.wait() for process in processes]):
            raise RuntimeError("a process failed")
        lines = (root / "plots" / "train.csv").read_text().splitlines()
        losses.append([float(line.split(",")[1]) for line in lines[1:]])
    return {"largest_relative_difference": max(abs(a - b) / a for a, b in zip(*losses, strict=True))}


def speed(root: Path, steps: int, rounds: int = 5) -> dict[str, Any]:
    """Symbols a second of the pipeline, and by those of a bare loop; the two take turns."""
    found = {}
    for precision in PRECISIONS:
        freeze(root, steps, *LARGE, f"train.precision={precision}")
        pairs = [(step_of(run(root)), step_of(run(root, "bare")))
                 for _ in range(rounds if precision == "32-true" else 1)]
        symbols = 64 * 128
        found[precision] = {"symbols_a_second": symbols / median(ours for ours, _ in pairs)}
        if precision == "32-true":
            found[precision]["by_bare"] = median(plain / ours for ours, plain in pairs)
    return found


def generation(root: Path, steps: int, turns: int = 5) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for size in ("1x256", "2x512", "2x1024"):
        network = random_network("lstm", *map(int, size.split("x")))
        greedy = [list(_greedy(TorchEngine(network), 200))]
        network.cuda()
        engines = {name: TorchEngine(network, capture=name == "captured") for name in ("captured", "eager")}
        greedy += [list(_greedy(engine, 200)) for engine in engines.values()]
        rates = in_turns({name: by_engine(engine, 1) for name, engine in engines.items()}, turns, 1)
        ratios = [a / b for a, b in zip(rates["captured"], rates["eager"], strict=True)]
        found[size] = {name: round(median(each)) for name, each in rates.items()} | {
            "captured to eager": round(median(ratios), 2), "the same as on the CPU": greedy[1:] == [greedy[0]] * 2}
    return found


def _greedy(engine: TorchEngine, count: int) -> Iterator[int]:
    prompts = [np.array([1])]
    drawing = Drawing(sampling(length=count, greedy=True), prompts, [(1, 0)], [0], None, None, with_nats=False)
    for each in walk(engine, prompts, drawing, np.zeros(1, dtype=bool)):
        yield int(each.symbols[0])


def step_of(said: str) -> float:
    return float(said.splitlines()[-1])


def child(how: str, root: Path) -> None:
    """Trains; the last line that it prints is seconds a step."""
    times: list[float] = [0.0]
    if how == "bare":
        config = load(root / "params.yaml")
        bare.train(open_prepared(root / "data" / "prepared"), config.model, config.train, times, "cuda")
        rows = times[ROWS::ROWS]
        print((rows[-1] - rows[0]) / (ROWS * (len(rows) - 1)))
        return
    if how == "gloo":       # NCCL refuses two processes on one device
        from lightning.pytorch.strategies import DDPStrategy

        from unroll.training import fit

        def over_gloo(config: Any, wait_minutes: float) -> Any:
            return DDPStrategy(process_group_backend="gloo") if config.num_nodes > 1 else "auto"

        fit.make_strategy = over_gloo   # type: ignore[attr-defined]
    with timed(times):
        run_stages(("train",), Workspace(PROJECT, root))
    if len(times) > 2:
        print((times[-1] - times[1]) / (ROWS * (len(times) - 2)))


if __name__ == "__main__":
    main()
