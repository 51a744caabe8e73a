"""What can be measured on a GPU, in one command; needs PyTorch with CUDA and one device.

    python -m benchmarks.gpu                    everything
    python -m benchmarks.gpu twice --steps 50   one part of those below
    python -m benchmarks.gpu --accelerator cpu --steps 4        whether the script itself runs

`twice` trains every cell in every precision two times and compares the bytes; `resumed` kills a training, continues it
and compares the bytes with an uninterrupted one's; `ranks` trains in two processes that share the device, over Gloo,
and in one over NCCL, and compares with one plain process; `processor` compares losses with the CPU's; `experiments`
trains every experiment whose data is at hand twice; `speed` counts symbols a second in each precision, and beside a
bare loop (benchmarks/bare.py); `generation` does so at batch 1, with the network's step captured as a CUDA graph and
without, and compares the symbols with the CPU's. Results go to benchmarks/results/gpu.json. Every training is `unroll
train` in a process of its own; those of `speed` run one at a time, the others side by side.
"""

import argparse
import json
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from benchmarks.chaos import outputs
from benchmarks.generate import by_engine, in_turns, random_network
from benchmarks.trainings import (
    PROJECT,
    QUIET,
    TEXT,
    apart,
    finish,
    freeze,
    run,
    seconds_a_step,
    side_by_side,
    start,
    training,
)
from unroll.base.environment import environment
from unroll.base.files import write_json
from unroll.base.workspace import Workspace
from unroll.config.sampling import sampling
from unroll.generation.loop import Drawing, walk
from unroll.generation.one_field import OneField
from unroll.generation.torch_engine import TorchEngine
from unroll.stages.pipeline import run_stages

CELLS = ("rnn", "lstm", "gru")
PRECISIONS = ("32-true", "bf16-mixed", "16-mixed")
LARGE = ["model.core.hidden_size=512", "train.batch_size=64", "train.bptt=128"]
CORES = ("bilstm", "bigru", "cnn", "mlp")       # that no experiment has, on whole sequences
EXPERIMENT_STEPS = 20
PROCESSOR_STEPS = 20


def main() -> None:
    parts: dict[str, Callable[[Path, argparse.Namespace], dict[str, Any]]] = {
        "twice": twice, "resumed": resumed, "ranks": ranks, "processor": processor, "experiments": experiments,
        "speed": speed, "generation": generation}
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("parts", nargs="*", default=list(parts), metavar="PART", help=", ".join(parts))
    options.add_argument("--steps", type=int, default=200)
    options.add_argument("--rounds", type=int, default=5, help="pairs of the pipeline and the bare loop")
    options.add_argument("--mirror", help="folder that holds downloads by file name, for the experiments")
    options.add_argument("--out", type=Path, default=PROJECT / "benchmarks" / "results" / "gpu.json")
    options.add_argument("--accelerator", choices=("gpu", "cpu"), default="gpu")
    chosen = options.parse_args()
    if chosen.accelerator == "gpu" and not torch.cuda.is_available():
        sys.exit("gpu.py: PyTorch finds no GPU here, so that there is nothing to measure.")
    results = json.loads(chosen.out.read_text()) if chosen.out.exists() else {}
    with TemporaryDirectory() as folder:
        freeze(Path(folder), *TEXT)
        run_stages(("prepare",), Workspace(PROJECT, Path(folder)))
        for part in chosen.parts:
            started = time.monotonic()
            try:
                results[part] = parts[part](Path(folder), chosen)
            except Exception as error:      # the other parts are worth having
                results[part] = {"failed": f"{type(error).__name__}: {error}"}
            print(f"{part} ({time.monotonic() - started:.0f} s): {json.dumps(results[part], indent=2)}", flush=True)
            write_json(chosen.out, {**results, "machine": environment("gpu"), "steps": chosen.steps})


def twice(root: Path, chosen: argparse.Namespace) -> dict[str, Any]:
    """Whether the outputs of two trainings are the same bytes."""
    names = [(cell, precision) for cell in CELLS for precision in PRECISIONS]
    roots = [training(root, chosen, f"twice {cell} {precision}", f"model={cell}", f"train.precision={precision}")
             for cell, precision in names]

    def compare(own: Path) -> bool | str:
        try:
            run(own)
            first = outputs(own)
            run(own)
        except RuntimeError as error:
            return str(error)
        return first == outputs(own)

    results = side_by_side(compare, roots)
    return {" ".join(name): result for name, result in zip(names, results, strict=True)}


def resumed(root: Path, chosen: argparse.Namespace) -> dict[str, Any]:
    """Whether a training that was killed and continued ends in the bytes of one that was not."""
    roots = [training(root, chosen, f"resumed {precision}", f"train.precision={precision}",
                      "runtime.checkpoint.steps=10") for precision in PRECISIONS]

    def compare(own: Path) -> dict[str, Any]:
        run(own)
        whole = outputs(own)
        process = start(own)
        while process.poll() is None and not list((own / ".unroll").rglob("step-*")):
            time.sleep(0.005)
        process.kill()
        process.communicate()
        checkpoints = sorted(path.name for path in (own / ".unroll").rglob("step-*"))
        printed = run(own)
        return {"killed after": checkpoints[-1:], "continued": "going on from" in printed,
                "identical": outputs(own) == whole}

    return dict(zip(PRECISIONS, side_by_side(compare, roots), strict=True))


def ranks(root: Path, chosen: argparse.Namespace) -> dict[str, Any]:
    """One plain process beside two that share the device (Gloo), and beside one that is a group of its own (NCCL)."""
    plain, nccl, gloo = (
        training(root, chosen, f"ranks {name}", "train.log_steps=1", *overrides)
        for name, overrides in (("plain", []), ("nccl", ["train.strategy=ddp"]), ("gloo", ["train.num_nodes=2"])))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        meeting = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free.getsockname()[1])}

    processes = [start(plain), start(nccl), *(start(gloo, "gloo", NODE_RANK=str(node), **meeting) for node in range(2))]
    side_by_side(finish, processes)
    weights = [(own / "artifacts" / "model" / "model.safetensors").read_bytes() for own in (plain, nccl)]
    return {"two processes over Gloo": {"largest relative difference of a loss": apart(plain, gloo)},
            "one process over NCCL": {"the same weights": weights[0] == weights[1]}}


def processor(root: Path, chosen: argparse.Namespace) -> dict[str, Any]:
    """How far losses of the GPU are from the CPU's."""
    fixed = [f"train.max_steps={PROCESSOR_STEPS}", f"train.validate_steps={PROCESSOR_STEPS}", "train.log_steps=1"]
    devices = {cell: [training(root, chosen, f"processor {cell} {device}", *fixed, f"model={cell}",
                               f"train.accelerator={device}") for device in ("cpu", chosen.accelerator)]
               for cell in CELLS}
    side_by_side(run, [own for pair in devices.values() for own in pair])
    return {cell: {f"largest relative difference of a loss in {PROCESSOR_STEPS} steps": apart(*pair)}
            for cell, pair in devices.items()}


def experiments(root: Path, chosen: argparse.Namespace) -> dict[str, Any]:
    """Whether each experiment trains here, and two times to the same bytes."""
    stems = sorted(path.stem for path in (PROJECT / "conf" / "experiment").glob("*.yaml"))
    names = {stem: [f"experiment={stem}"] for stem in stems}
    names |= {f"japanese_vowels {core}": ["experiment=japanese_vowels", f"model={core}"] for core in CORES}
    fixed = [*QUIET, f"train.accelerator={chosen.accelerator}", f"train.max_steps={EXPERIMENT_STEPS}",
             f"train.validate_steps={EXPERIMENT_STEPS}"]
    fixed += [f"runtime.mirror={chosen.mirror}"] if chosen.mirror else []
    roots = [freeze(root / f"experiment_{name.replace(' ', '_')}", *overrides, *fixed)
             for name, overrides in names.items()]

    def compare(own: Path) -> bool | str:
        process = start(own, "whole")
        errors = process.communicate()[1]
        if process.returncode:
            last = (errors.strip() or "-").splitlines()[-1]
            return last if (own / "data" / "prepared" / "spec.json").exists() else f"not prepared: {last}"
        first = outputs(own)
        try:
            run(own)
        except RuntimeError as error:
            return str(error)
        return first == outputs(own)

    return dict(zip(names, side_by_side(compare, roots), strict=True))


def speed(root: Path, chosen: argparse.Namespace) -> dict[str, Any]:
    """Symbols a second of the pipeline, and its speed by that of a bare loop; the two take turns."""
    result: dict[str, Any] = {}
    for precision in PRECISIONS:
        own = training(root, chosen, f"speed {precision}", f"train.validate_steps={chosen.steps}", *LARGE,
                       f"train.precision={precision}")
        if precision == "32-true":
            pairs = [(seconds_a_step(run(own)), seconds_a_step(run(own, "bare"))) for _ in range(chosen.rounds)]
            ours = median(seconds for seconds, _ in pairs)
            full = {"by the bare loop's": round(median(plain / seconds for seconds, plain in pairs), 3)}
        else:
            ours = seconds_a_step(run(own))
            full = {}
        result[precision] = {"symbols a second": round(64 * 128 / ours), "milliseconds a step": round(1000 * ours, 2)}
        result[precision] |= full
    return result


def generation(root: Path, chosen: argparse.Namespace, turns: int = 5) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for size in ("1x256", "2x512", "2x1024"):
        network = random_network("lstm", *map(int, size.split("x")))
        greedy = [list(_greedy(TorchEngine(network), 200))]
        if torch.cuda.is_available():
            network.cuda()
        engines = {name: TorchEngine(network, capture=name == "captured") for name in ("captured", "eager")}
        greedy += [list(_greedy(engine, 200)) for engine in engines.values()]
        rates = in_turns({name: by_engine(engine, 1) for name, engine in engines.items()}, turns, 1)
        ratios = [a / b for a, b in zip(rates["captured"], rates["eager"], strict=True)]
        result[size] = {f"{name}, symbols a second": round(median(turn)) for name, turn in rates.items()} | {
            "captured to eager": round(median(ratios), 2), "the same as on the CPU": greedy[1:] == [greedy[0]] * 2}
    return result


def _greedy(engine: TorchEngine, count: int) -> Iterator[int]:
    prompts = [np.array([1])]
    drawing = Drawing(sampling(length=count, greedy=True), prompts, [(1, 0)], [0], None, None, with_nats=False)
    for drawn in walk(OneField(engine), prompts, drawing, np.zeros(1, dtype=bool)):
        yield int(drawn.symbols[0])


if __name__ == "__main__":
    main()
