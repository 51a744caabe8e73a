"""Peak memory and time of the four stages and of `unroll predict` on long and on many series to forecast.

    python -m benchmarks.long_series                        every case, twenty minutes on two cores
    python -m benchmarks.long_series long --rows 100000     one of them, smaller

`long` is one hourly series of 1.5 million rows with the settings that `unroll init` would write, `many` 100,000 monthly
series of 50 rows, and `fewer` a tenth of them, which should take as much memory. Training is cut to 200 steps, but for
`many` and `fewer`, where it is one epoch over every window. Each stage is a process of its own; `megabytes` is the most
that it had in memory (its maximum resident set, mapped files included), `seconds` the whole of it, and
`processor_seconds` those of all threads, which other work on the machine changes less. `empty` is a series of 1,000
rows: what Python and its libraries take. Results go to benchmarks/results/long_series.json.
"""

import argparse
import os
import re
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import yaml

from benchmarks.prepare import PROJECT, TABLE
from unroll.base.environment import environment
from unroll.base.files import write_json
from unroll.compose import compose

STAGES = ("prepare", "train", "evaluate", "generate")
# the largest resident set that wait4 reports is that of this process, where it is larger
COMMAND = """
import atexit, runpy, shutil
atexit.register(shutil.copyfile, "/proc/self/status", "status")
runpy.run_module("unroll", run_name="__main__")
"""
LONG = {"horizon": 24, "context": 48, "season": 24, "log": False, "stride": 52, "eval_stride": 1,
        "eval_windows": 10_000, "start": "season", "window": "none"}
MANY = {"horizon": 6, "context": 6, "season": 12, "log": False, "stride": 1, "eval_stride": 1,
        "eval_windows": 10_000, "start": "season", "window": "none"}
STEPS = 50          # of each of many series
SHARE = 0.2


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("cases", nargs="*", metavar="CASE", help=f"of {', '.join(CASES)}; none: all")
    options.add_argument("--rows", type=int, help="of the long series; default: 1,500,000")
    options.add_argument("--series", type=int, help="of many; default: 100,000")
    options.add_argument("--out", type=Path, default=PROJECT / "benchmarks" / "results" / "long_series.json")
    chosen = options.parse_args()
    results: dict[str, Any] = {}
    for name in chosen.cases or CASES:
        series, steps = CASES[name]
        results[name] = measure(chosen.series or series if series > 1 else 1, steps if series > 1 or name == "empty"
                                else chosen.rows or steps)
        print(f"{name}: {results[name]}", flush=True)
        write_json(chosen.out, results | {"machine": environment("cpu") | {"cores": os.cpu_count()}})


def measure(series: int, steps: int) -> dict[str, Any]:
    """Seconds and megabytes of each stage, and how much there was."""
    with TemporaryDirectory() as folder:
        root = Path(folder)
        for name in ("src", "dvc.yaml"):
            (root / name).symlink_to(PROJECT / name)
        (root / "data" / "raw").mkdir(parents=True)
        table = root / "data" / "raw" / "table.csv"
        write(table, series, steps)
        (root / "params.yaml").write_text(yaml.safe_dump(settings(series)), encoding="utf-8")
        figures: dict[str, Any] = {stage: run(root, stage) for stage in STAGES}
        figures["predict"] = run(root, "predict", str(table), "--out", "predicted.csv", "--model", "artifacts/model")
        predicted = root / "artifacts" / "samples" / "predictions.csv"
        return figures | {"rows": series * steps, "series": series, "file_megabytes": megabytes(table),
                          "predictions_megabytes": megabytes(predicted)}


def settings(series: int) -> dict[str, Any]:
    """params.yaml: the committed configuration with a table of series."""
    config: dict[str, Any] = yaml.safe_load(compose(PROJECT / "conf", ["experiment=airline", "model=lstm"])[0])
    several = series > 1
    config["data"] = TABLE | {
        "path": "data/raw/table.csv", "columns": {"x": ["y"]}, "targets": {"x": "forecast"}, "validation": SHARE,
        "test": SHARE, "forecast": MANY if several else LONG, "series": "id" if several else None, "time": "t"}
    config["model"]["heads"]["x"]["calibration"] = "conformal"
    config["model"]["core"]["hidden_size"] = 64
    config["train"] |= {"batch_size": 256 if several else 32, "epochs": 1, "max_steps": None if several else 200}
    config["runtime"]["tracking"]["enabled"] = False
    return config


def write(path: Path, series: int, steps: int) -> None:
    """Daily or yearly cycles with noise, in a CSV file of the columns t and y, and id where there are several."""
    with path.open("wb") as file:
        for number, block in enumerate(blocks(series, steps)):
            pa.csv.write_csv(pa.table(block), file, pa.csv.WriteOptions(include_header=number == 0))


def blocks(series: int, steps: int) -> Iterator[dict[str, Any]]:
    draw = np.random.Generator(np.random.Philox([1]))
    season = 12 if series > 1 else 24
    each = 1000 if series > 1 else 1
    for first in range(0, series, each):
        number, t = (index.ravel() for index in np.indices((min(each, series - first), steps)))
        y = 10 + first % 7 + number % 5 + np.sin(2 * np.pi * t / season) + 0.1 * draw.standard_normal(len(t))
        ids = {"id": [f"series {first + one}" for one in number]} if series > 1 else {}
        yield ids | {"t": t, "y": y.round(4)}


def run(root: Path, *command: str) -> dict[str, float]:
    """A command of the program in a process of its own: its seconds, and its peak memory."""
    started, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-c", COMMAND, *command], cwd=root, env=os.environ | {"PYTHONPATH": "src"},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    seconds, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}")
    (peak,) = re.findall(r"VmHWM:\s+(\d+) kB", (root / "status").read_text())
    return {"seconds": round(seconds, 1), "processor_seconds": round(processor, 1),
            "megabytes": round(int(peak) / 1024)}


def megabytes(file: Path) -> int:
    return round(file.stat().st_size / 1e6)


CASES = {"empty": (1, 1000), "long": (1, 1_500_000), "fewer": (10_000, STEPS), "many": (100_000, STEPS)}


if __name__ == "__main__":
    main()
