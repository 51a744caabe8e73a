"""RNN, LSTM and GRU on the default corpus: same budget, same sizes, several seeds.

    python benchmarks/cells.py --epochs 2       about a quarter of an hour on two cores; without: the default's epochs
    python benchmarks/cells.py --seeds 1 --epochs 1

Cells take turns within a seed, in one process; figures are means over seeds, speeds medians. The result goes to
benchmarks/results/cells.json, from which `python tools/readme.py` writes the README's table.
"""

import argparse
import json
import platform
import tempfile
import time
from pathlib import Path
from statistics import mean, median, stdev

import torch

from unroll.base.files import write_json
from unroll.base.workspace import Workspace
from unroll.compose import compose
from unroll.data.store import open_prepared
from unroll.stages.evaluate import evaluate
from unroll.stages.prepare import prepare
from unroll.stages.train import train

PROJECT = Path(__file__).parent.parent
CELLS = ("rnn", "lstm", "gru")
# the baselines are the same for every cell and stand in metrics/test.json
FIXED = ["runtime.progress=false", "runtime.tracking.enabled=false", "evaluate.ngram_order=1",
         "evaluate.baseline_tokens=1000", "evaluate.gradient_reach=2"]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    options.add_argument("--epochs", type=int)
    options.add_argument("--out", type=Path, default=PROJECT / "benchmarks" / "results" / "cells.json")
    chosen = options.parse_args()
    budget = [f"train.epochs={chosen.epochs}"] if chosen.epochs else []
    command = ["python benchmarks/cells.py", *([f"--epochs {chosen.epochs}"] if chosen.epochs else [])]
    results: dict[str, list[dict[str, float]]] = {cell: [] for cell in CELLS}
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(PROJECT, Path(folder))
        for seed in chosen.seeds:
            for cell in CELLS:
                results[cell].append(run(workspace, [f"model={cell}", f"train.seed={seed}", *budget, *FIXED]))
                print(f"{cell} seed {seed}: {results[cell][-1]}", flush=True)
    measured = {cell: summary(runs) for cell, runs in results.items()}
    write_json(chosen.out, {**surroundings(chosen.seeds, " ".join(command)), "cells": measured})
    print(chosen.out)


def run(workspace: Workspace, overrides: list[str]) -> dict[str, float]:
    """Train and measure one configuration; seconds are the train stage's own, without starting Python."""
    text, config = compose(PROJECT / "conf", overrides)
    workspace.params.write_text(text, encoding="utf-8")
    if not workspace.prepared.exists():
        prepare(workspace, config.runtime, config.data)
    started = time.perf_counter()
    train(workspace, config.runtime, config.data, config.model, config.train, config.pretrained)
    seconds = time.perf_counter() - started
    evaluate(workspace, config.runtime, config.evaluate)
    trained, tested = (json.loads((workspace.metrics / f"{name}.json").read_text()) for name in ("train", "test"))
    tokens = open_prepared(workspace.prepared).spec.splits["train"].steps * config.train.epochs
    return {
        "parameters": trained["model/parameters"],
        "val_bpc": tested["best/val_bpc"],
        "test_loss": tested["test/loss"],
        "test_bpc": tested["test/bpc"],
        "seconds": seconds,
        "tokens_per_second": tokens / seconds,
    }


def summary(runs: list[dict[str, float]]) -> dict[str, float | list[float]]:
    spread = {f"{name}_std": stdev([each[name] for each in runs]) if len(runs) > 1 else 0.0
              for name in ("val_bpc", "test_loss", "test_bpc")}
    return {
        "parameters": runs[0]["parameters"],
        **{name: mean(each[name] for each in runs) for name in ("val_bpc", "test_loss", "test_bpc")},
        **spread,
        **{name: median(each[name] for each in runs) for name in ("seconds", "tokens_per_second")},
        "all_test_bpc": [each["test_bpc"] for each in runs],
    }


def surroundings(seeds: list[int], command: str) -> dict[str, object]:
    names = [line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
             if line.startswith("model name")] if Path("/proc/cpuinfo").exists() else [platform.processor()]
    return {
        "command": command if seeds == [1, 2, 3] else f"{command} --seeds {' '.join(map(str, seeds))}",
        "cpu": f"{len(names)} × {names[0]}",
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "seeds": seeds,
    }


if __name__ == "__main__":
    main()
