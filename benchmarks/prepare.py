"""Peak memory and time of `unroll prepare` on data that grows, by kind of source.

    python -m benchmarks.prepare                            every case, fifteen minutes on two cores
    python -m benchmarks.prepare csv parquet --rows 50000   some of them, smaller

Each case makes its file in a temporary folder and runs the stage there in a process of its own. `megabytes` is the
most that the process had in memory (its maximum resident set, mapped files included), `seconds` the whole of it, and
`processor_seconds` those of all threads, which other work on the machine changes less.
`empty` is the same stage on 1000 rows: what Python and its libraries take. Results go to
benchmarks/results/prepare.json.
"""

import argparse
import os
import re
import resource
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
from scipy.io import savemat

from unroll.base.environment import environment
from unroll.base.files import sha256, write_json
from unroll.compose import compose

PROJECT = Path(__file__).parent.parent
COLUMNS = [f"c{number}" for number in range(8)]
BLOCK = 100_000     # rows that are made at a time
LENGTH = 100        # rows of a sequence
FORECAST = {"horizon": 24, "context": 96, "season": 24, "log": False, "start": "season", "window": "none", "stride": 24,
            "eval_stride": 1, "eval_windows": None}
# the largest resident set that wait4 reports is that of this process, where it is larger
STAGE = """
import atexit, runpy, shutil
atexit.register(shutil.copyfile, "/proc/self/status", "status")
runpy.run_module("unroll", run_name="__main__")
"""
TABLE = {"kind": "table", "delimiter": ",", "decimal": ".", "encoding": "utf-8", "header": True, "series": None,
         "skip": 0, "comment": None, "units": False, "thousands": None, "sheet": None, "wide": None,
         "time": None, "time_format": None, "time_zone": None, "frequency": None, "gaps": "ignore",
         "missing": "refuse", "na_values": [], "min_length": None, "tokenizer": None,
         "scale": "standard", "validation": 0.1, "test": 0.1,
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
        config["data"] = data | named(data["kind"], path)
        config["runtime"]["mirror"] = str(path.parent)
        (root / "params.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
        started, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", STAGE, "prepare"], cwd=root, env=os.environ | {"PYTHONPATH": "src"},
                       stdout=subprocess.DEVNULL, check=True)
        seconds, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
        processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        (peak,) = re.findall(r"VmHWM:\s+(\d+) kB", (root / "status").read_text())
        return {"megabytes": round(int(peak) / 1024), "seconds": round(seconds, 1),
                "processor_seconds": round(processor, 1),
                "file_megabytes": round(sum(file.stat().st_size for file in (path, *path.rglob("*"))) / 1e6)}


def named(kind: str, path: Path) -> dict[str, str]:
    """The settings that say which file is read."""
    if kind == "pianoroll":
        return {"url": f"https://example.org/{path.name}", "sha256": sha256(path)}
    return {"train" if kind == "ts" else "path": f"data/raw/{path.name}"}


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


def tagged(rows: int) -> Iterator[dict[str, Any]]:
    """The walks with a class at each step, of which one has a name of 20,000 characters, once in 100,000 rows."""
    for block in numbers(rows):
        names = np.array([f"tag {number}" for number in range(7)], object)[np.arange(len(block["c0"])) % 7]
        names[0] = "long " * 4000
        yield block | {"tag": names}


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


def arrays(save: Callable[..., None]) -> Callable[[Path, int], Path]:
    """Sequences of 100 steps, (n, 100, 8) of float64, and the class of each."""
    def write(folder: Path, rows: int) -> Path:
        walks = np.concatenate([np.stack([*block.values()], axis=1) for block in numbers(rows)])
        x = walks[: len(walks) // LENGTH * LENGTH].reshape(-1, LENGTH, len(COLUMNS))
        save(folder / "arrays.npz", X_train=x, y_train=np.arange(len(x)) % 7)
        return folder / "arrays.npz"
    return write


def recordings(folder: Path, rows: int) -> Path:
    """A file of 1000 rows for each sequence, in the folders of seven classes."""
    for name in range(7):
        (folder / "classes" / str(name)).mkdir(parents=True)
    for number, block in enumerate(cut(numbers(rows), 10 * LENGTH)):
        pa.csv.write_csv(pa.table(block), folder / "classes" / str(number % 7) / f"{number}.csv")
    return folder / "classes"


def cases(folder: Path, rows: int) -> Path:
    """Cases of 100 steps in the format of the UCR and UEA archives; a fifth of the rows."""
    with (folder / "cases.ts").open("w") as file:
        file.write("@problemName walks\n@timestamps false\n@missing false\n@univariate false\n@equalLength true\n"
                   "@classLabel true 0 1 2 3 4 5 6\n@data\n")
        for number, block in enumerate(cut(numbers(rows // 5), LENGTH)):
            dimensions = [",".join(f"{value:.6f}" for value in column) for column in block.values()]
            file.write(":".join([*dimensions, str(number % 7)]) + "\n")
    return folder / "cases.ts"


def rolls(folder: Path, rows: int) -> Path:
    """Piano rolls of 100 steps, 88 keys, as float64; a tenth of the rows."""
    draw = np.random.Generator(np.random.Philox([1]))
    several = max(rows // 10 // LENGTH, 30)
    splits = {}
    for name in ("traindata", "validdata", "testdata"):
        splits[name] = np.empty((1, several // (1 if name == "traindata" else 10)), object)
        for at in range(splits[name].size):
            splits[name][0, at] = (draw.random((LENGTH, 88)) < 0.05).astype(np.float64)
    savemat(folder / "music.mat", splits)
    return folder / "music.mat"


def cut(blocks: Iterator[dict[str, Any]], length: int) -> Iterator[dict[str, Any]]:
    """Stretches of `length` rows."""
    for block in blocks:
        for first in range(0, len(block["c0"]), length):
            yield {name: values[first : first + length] for name, values in block.items()}


ITEMS = TABLE | {"series": "id", "time": "t", "columns": {"x": COLUMNS, "label": ["class"]},
         "targets": {"label": "class"}}
CLASSES = {"inputs": {"x": "real"}, "targets": {"label": "class"}, "scale": "standard", "missing": "refuse",
           "validation": 0.1, "test": 0.1, "seed": 1, "licence": "none"}
ARRAYS = CLASSES | {"kind": "npz", "arrays": {"x": "X", "label": "y"}}
CASES: dict[str, tuple[Callable[[Path, int], Path], str, dict[str, Any]]] = {
    "csv": (csv(numbers), "mackey_glass", TABLE | {"targets": {"x": "next"}}),
    "parquet": (parquet(numbers), "mackey_glass", TABLE | {"targets": {"x": "next"}}),
    "forecast": (parquet(numbers), "airline", TABLE | {"targets": {"x": "forecast"}, "forecast": FORECAST}),
    "tags": (parquet(tagged), "signals", TABLE | {
        "columns": {"x": COLUMNS, "tag": ["tag"]}, "targets": {"tag": "tag"}}),
    "sequences": (csv(sequences), "gunpoint", ITEMS),
    "mixed sequences": (parquet(mixed), "gunpoint", ITEMS),
    "texts": (csv(texts), "docstrings", TABLE | {
        "columns": {"text": ["text"], "label": ["class"]}, "inputs": {"text": "tokens"}, "targets": {"label": "class"},
        "tokenizer": {"kind": "char", "min_count": 1}}),
    "arrays": (arrays(np.savez), "gunpoint", ARRAYS),
    "deflated arrays": (arrays(np.savez_compressed), "gunpoint", ARRAYS),
    "folder": (recordings, "gunpoint", CLASSES | {
        "kind": "folder", "encoding": "utf-8", "delimiter": ",", "decimal": ".", "header": True, "columns": None,
        "skip": 0, "comment": None, "units": False, "thousands": None, "na_values": [], "tokenizer": None}),
    "ts": (cases, "gunpoint", CLASSES | {"kind": "ts"}),
    "music": (rolls, "jsb", {"kind": "pianoroll", "inputs": {"x": "real"}, "targets": {"x": "next_labels"},
                             "licence": "none"}),
}


if __name__ == "__main__":
    main()
