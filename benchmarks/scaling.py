"""What each stage takes of memory, disk and network as corpus, width, length and processes grow.

    python -m benchmarks.scaling                    all of it, a quarter of an hour on two cores
    python -m benchmarks.scaling corpus ranks       some parts: corpus, width, length, ranks

Every stage runs in a process of its own, whose peak of resident memory is read when it ends; what it wrote is weighed;
bytes between processes are those that the loopback interface counted. Results go to benchmarks/results/scaling.json.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from unroll.base.environment import environment
from unroll.base.files import write_json
from unroll.base.workspace import Workspace
from unroll.compose import compose
from unroll.config.load import load
from unroll.data.store import open_prepared
from unroll.models.network import build
from unroll.sources.docs import Docs

PROJECT = Path(__file__).parent.parent
STEPS = 20
QUIET = ["runtime.progress=false", "runtime.tracking.enabled=false", f"train.max_steps={STEPS}",
         f"train.validate_steps={STEPS}", "train.epochs=99", "runtime.checkpoint.steps=10"]
STAGES = ("prepare", "train", "evaluate", "generate")


def main() -> None:
    parts: dict[str, Callable[[Path], list[dict[str, Any]]]] = {
        "corpus": corpus, "width": width, "length": length, "ranks": ranks}
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("parts", nargs="*", default=list(parts), metavar="PART", help=", ".join(parts))
    options.add_argument("--out", type=Path, default=PROJECT / "benchmarks" / "results" / "scaling.json")
    chosen = options.parse_args()
    results = json.loads(chosen.out.read_text()) if chosen.out.exists() else {}
    for part in chosen.parts:
        with TemporaryDirectory() as folder:
            results[part] = parts[part](Path(folder))
            for row in results[part]:
                print(f"{part}: {row}", flush=True)
        results["machine"] = environment("cpu") | {"cores": os.cpu_count()}
        write_json(chosen.out, results)


def corpus(root: Path) -> list[dict[str, Any]]:
    """Texts of 2 to 200 MB: the same documentation, again and again."""
    rows = []
    raw = PROJECT / "data" / "raw" / "scaling.txt"      # only there may a text be
    try:
        for megabytes in (2, 20, 200):
            _write_text(raw, megabytes * 10**6)
            freeze(root, "data=text", "data.path=data/raw/scaling.txt")
            row: dict[str, Any] = {"megabytes": megabytes}
            for stage in STAGES:
                if stage == "evaluate" and megabytes > 20:
                    continue        # its 5-gram takes 80 MB a MB of text
                row[stage] = measure(root, stage)
            row["prepared_mb"] = weight(root / "data" / "prepared")
            rows.append(row)
    finally:
        raw.unlink(missing_ok=True)
    return rows


def width(root: Path) -> list[dict[str, Any]]:
    """One LSTM layer, wider and wider."""
    freeze(root)
    measure(root, "prepare")
    rows = []
    for units in (128, 256, 512, 1024, 2048):
        freeze(root, f"model.core.hidden_size={units}")
        row = {"units": units, "parameters": parameters(root), "train": measure(root, "train")}
        rows.append(row | {"model_mb": weight(root / "artifacts" / "model")})
    return rows


def length(root: Path) -> list[dict[str, Any]]:
    """Longer stretches of back-propagation."""
    freeze(root)
    measure(root, "prepare")
    rows = []
    for bptt in (64, 256, 1024):
        freeze(root, f"train.bptt={bptt}", f"train.max_steps={STEPS // 4}", f"train.validate_steps={STEPS // 4}")
        rows.append({"bptt": bptt, "train": measure(root, "train")})
    return rows


def ranks(root: Path) -> list[dict[str, Any]]:
    """One, two and four processes on this machine: bytes between them in a step, and what was expected of a ring."""
    freeze(root)
    measure(root, "prepare")
    rows = []
    for devices in (1, 2, 4):
        sent = []
        for steps in (STEPS, 3 * STEPS):
            freeze(root, f"train.devices={devices}", "train.threads=1", f"train.max_steps={steps}",
                   f"train.validate_steps={3 * STEPS}", "runtime.checkpoint.steps=999")
            before = loopback()
            found = measure(root, "train")
            sent.append(loopback() - before)
        rows.append({"ranks": devices, "train": found, "bytes_a_step": (sent[1] - sent[0]) / (2 * STEPS),
                     "expected_bytes_a_step": 2 * (devices - 1) * 4 * parameters(root)})
    return rows


def freeze(root: Path, *overrides: str) -> None:
    (root / "params.yaml").write_text(compose(PROJECT / "conf", [*QUIET, *overrides])[0], encoding="utf-8")


def parameters(root: Path) -> int:
    network = build(load(root / "params.yaml").model, open_prepared(Workspace(PROJECT, root).prepared).spec, 0)
    return sum(each.numel() for each in network.parameters())


def measure(root: Path, stage: str) -> dict[str, float]:
    """Seconds, and the peak of memory in MB of the largest of its processes; of a training, MB of a checkpoint."""
    started = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "unroll", stage, "--root", str(root)], cwd=PROJECT,
                               env=os.environ | {"PYTHONPATH": "src", "DVC_ROOT": str(root)},
                               stdout=subprocess.DEVNULL, start_new_session=True)
    saved = 0.0
    while (ended := os.wait4(process.pid, os.WNOHANG))[0] == 0:
        saved = max([saved, *(each.stat().st_size / 1e6 for each in (root / ".unroll").rglob("state"))])
        time.sleep(0.05)
    _, status, usage = ended
    if status:
        raise RuntimeError(f"{stage} ended with {os.waitstatus_to_exitcode(status)}")
    found = {"seconds": round(time.perf_counter() - started, 1), "memory_mb": round(usage.ru_maxrss / 1024)}
    return found | ({"checkpoint_mb": round(saved, 1)} if saved else {})


def weight(folder: Path) -> float:
    return round(sum(each.stat().st_size for each in folder.rglob("*") if each.is_file()) / 1e6, 1)


def loopback() -> int:
    """Bytes that have gone through the interface."""
    line = next(line for line in Path("/proc/net/dev").read_text().splitlines() if line.strip().startswith("lo:"))
    return int(line.split(":")[1].split()[0])


def _write_text(path: Path, size: int) -> None:
    documentation = "\n\n".join(Docs("networkx", "3.6.1", 0.1, 0.1, 1).pieces("train"))
    with path.open("w", encoding="utf-8") as file:
        while (written := file.tell()) < size:
            file.write(documentation[: size - written])


if __name__ == "__main__":
    main()
