"""Peak memory and time of `unroll prepare` on data that grows, by kind of source.

    python -m benchmarks.prepare                            every case, ten minutes on two cores
    python -m benchmarks.prepare csv parquet --rows 50000   some of them, smaller

Each case makes its file in a temporary folder and runs the stage there in a process of its own. `megabytes` is the
most that the process had in memory (its maximum resident set, mapped files included), `seconds` the whole of it.
`empty` is the same stage on 1000 rows: what Python and its libraries take. Results go to
benchmarks/results/prepare.json.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import yaml

from unroll.base.environment import environment
from unroll.base.files import write_json
from unroll.compose import compose

PROJECT = Path(__file__).parent.parent
COLUMNS = [f"c{number}" for number in range(8)]
BLOCK = 100_000     # rows that are made at a time
LENGTH = 100        # rows of a sequence
FORECAST = {"horizon": 24, "context": 96, "season": 24, "log": False, "stride": 24}
TABLE = {"kind": "table", "delimiter": ",", "decimal": ".", "encoding": "utf-8", "header": True, "series": None,
         "time": None, "time_format": None, "tokenizer": None, "scale": "standard", "validation": 0.1, "test": 0.1,
         "forecast": None, "licence": "none", "seed": 1, "columns": {"x": COLUMNS}, "inputs": {"x": "real"}}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("cases", nargs="*", metavar="CASE", help=f"of {', '.join(CASES)}; none: all")
    options.add_argument("--rows", type=int, default=5_000_000)
    options.add_argument("--out", type=Path, default=PROJECT / "benchmarks" / "results" / "prepare.json")
    chosen = options.parse_args()
    results: dict[str, Any] = {"empty": measure("csv", 1000)}
    for name in chosen.cases or CASES:
        results[name] = measure(name, chosen.rows)
        print(f"{name}: {results[name]}", flush=True)
    write_json(chosen.out, results | {"rows": chosen.rows, "machine": environment("cpu") | {"cores": os.cpu_count()}})


def measure(name: str, rows: int) -> dict[str, float]:
    make, experiment, data = CASES[name]
    with TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "src").symlink_to(PROJECT / "src")
        (root / "data" / "raw").mkdir(parents=True)
        path = make(root / "data" / "raw", rows)
        config = yaml.safe_load(compose(PROJECT / "conf", [f"experiment={experiment}"])[0])
        config["data"] = TABLE | data | {"path": f"data/raw/{path.name}"}
        (root / "params.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
        started = time.perf_counter()
        process = subprocess.Popen([sys.executable, "-m", "unroll", "prepare"], cwd=root,
                                   env=os.environ | {"PYTHONPATH": "src"}, stdout=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"{name}: exit code {process.returncode}")
        return {"megabytes": round(used.ru_maxrss / 1024), "seconds": round(seconds, 1),
                "file_megabytes": round(path.stat().st_size / 1e6)}


def numbers(rows: int) -> Iterator[dict[str, Any]]:
    """Blocks of eight random walks."""
    draw = np.random.Generator(np.random.Philox([1]))
    last = np.zeros(len(COLUMNS))
    for first in range(0, rows, BLOCK):
        walk = last + draw.standard_normal((min(BLOCK, rows - first), len(COLUMNS))).cumsum(axis=0)
        last = walk[-1]
        yield dict(zip(COLUMNS, walk.T, strict=True))


def sequences(rows: int) -> Iterator[dict[str, Any]]:
    """Sequences of 100 rows, one after another, each with a time and a class."""
    for number, block in enumerate(numbers(rows)):
        row = number * BLOCK + np.arange(len(block["c0"]))
        yield block | {"id": row // LENGTH, "t": row % LENGTH, "class": row // LENGTH % 7}


def mixed(rows: int) -> Iterator[dict[str, Any]]:
    """The same with the first rows of all sequences before their second ones."""
    for number, block in enumerate(numbers(rows)):
        row = number * BLOCK + np.arange(len(block["c0"]))
        several = max(rows // LENGTH, 1)
        yield block | {"id": row % several, "t": row // several, "class": row % several % 7}


def texts(rows: int) -> Iterator[dict[str, Any]]:
    """A text of about 60 characters in each row, and its class; a fifth of the rows."""
    rows = max(rows // 5, 1)
    draw = np.random.Generator(np.random.Philox([1]))
    words = np.array(["".join(draw.choice(list("abcdefghijklmnop"), 6)) for _ in range(500)])
    for first in range(0, rows, BLOCK):
        chosen = words[draw.integers(500, size=(min(BLOCK, rows - first), 9))]
        yield {"text": [" ".join(row) for row in chosen], "class": draw.integers(7, size=len(chosen))}


def csv(blocks: Callable[[int], Iterator[dict[str, Any]]]) -> Callable[[Path, int], Path]:
    def write(folder: Path, rows: int) -> Path:
        with (folder / "table.csv").open("wb") as file:
            for number, block in enumerate(blocks(rows)):
                pa.csv.write_csv(pa.table(block), file, pa.csv.WriteOptions(include_header=number == 0))
        return folder / "table.csv"
    return write


def parquet(blocks: Callable[[int], Iterator[dict[str, Any]]]) -> Callable[[Path, int], Path]:
    def write(folder: Path, rows: int) -> Path:
        with pa.parquet.ParquetWriter(folder / "table.parquet", pa.table(next(blocks(1))).schema) as file:
            for block in blocks(rows):
                file.write_table(pa.table(block))
        return folder / "table.parquet"
    return write


ITEMS = {"series": "id", "time": "t", "columns": {"x": COLUMNS, "label": ["class"]},
         "targets": {"label": "class"}}
CASES: dict[str, tuple[Callable[[Path, int], Path], str, dict[str, Any]]] = {
    "csv": (csv(numbers), "mackey_glass", {"targets": {"x": "next"}}),
    "parquet": (parquet(numbers), "mackey_glass", {"targets": {"x": "next"}}),
    "forecast": (parquet(numbers), "airline", {"targets": {"x": "forecast"}, "forecast": FORECAST}),
    "sequences": (csv(sequences), "gunpoint", ITEMS),
    "mixed sequences": (parquet(mixed), "gunpoint", ITEMS),
    "texts": (csv(texts), "docstrings", {
        "columns": {"text": ["text"], "label": ["class"]}, "inputs": {"text": "tokens"}, "targets": {"label": "class"},
        "tokenizer": {"kind": "char", "min_count": 1}}),
}


if __name__ == "__main__":
    main()
