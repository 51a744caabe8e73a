"""What pruning saves: a study of language models with and without its pruner, epochs trained and the best value.

    python -m benchmarks.tuning             half an hour on two cores
    python -m benchmarks.tuning --seeds 1

The search space, the sampler and the pruner are those of conf/tune/language.yaml; the corpus is a small one, so that a
trial takes seconds. Trials run one at a time. Results go to benchmarks/results/tuning.json.
"""

import argparse
import csv
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from unroll.base.environment import environment
from unroll.base.files import write_json

PROJECT = Path(__file__).parent.parent
EPOCHS = 9
FIXED = ["data.package=pooch", f"data.version={version('pooch')}", f"train.epochs={EPOCHS}", "train.bptt=32",
         "train.schedule.warmup_steps=10", "train.threads=1", "evaluate.ngram_order=1", "evaluate.baseline_tokens=1000",
         "evaluate.train_tokens=1000", "evaluate.gradient_reach=2", "generate.count=1", "generate.length=50",
         "runtime.progress=false", "runtime.tracking.enabled=false"]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    options.add_argument("--trials", type=int, default=20)
    options.add_argument("--out", type=Path, default=PROJECT / "benchmarks" / "results" / "tuning.json")
    chosen = options.parse_args()
    rows = []
    with TemporaryDirectory() as folder:
        clone = Path(folder) / "clone"
        subprocess.run(["git", "clone", "-q", PROJECT, clone], check=True)
        for seed in chosen.seeds:
            pair = {name: study(clone, name, seed, chosen.trials) for name in ("whole", "pruned")}
            rows.append({"seed": seed} | pair | {"saved": 1 - pair["pruned"]["epochs"] / pair["whole"]["epochs"]})
            print(rows[-1], flush=True)
            write_json(chosen.out, {
                "command": f"python -m benchmarks.tuning --seeds {' '.join(str(each['seed']) for each in rows)} "
                           f"--trials {chosen.trials}", "studies": rows,
                "saved": mean(each["saved"] for each in rows),
                "best": {name: mean(each[name]["best"] for each in rows) for name in ("whole", "pruned")},
                "machine": environment("cpu") | {"cores": os.cpu_count()},
            })


def study(clone: Path, name: str, seed: int, trials: int) -> dict[str, Any]:
    """Epochs over all trials, and the lowest validation loss."""
    space = yaml.safe_load((clone / "conf" / "tune" / "language.yaml").read_text())
    changes = {"seed": seed} | ({"pruner": {"kind": "none"}} if name == "whole" else {})
    space_name = f"{name}-{seed}"
    (clone / "conf" / "tune" / f"{space_name}.yaml").write_text(yaml.safe_dump({**space, **changes}))
    command = [sys.executable, "-m", "unroll", "tune", "--space", space_name, "--trials", str(trials), "--jobs", "1"]
    subprocess.run([*command, *FIXED], cwd=clone, check=True, env=os.environ | {"PYTHONPATH": "src"},
                   stdout=subprocess.DEVNULL)
    with (clone / ".unroll" / "tune" / space_name / "trials.csv").open() as file:
        found = list(csv.DictReader(file))
    return {"trials": len(found), "epochs": sum(int(each["validations"]) for each in found),
            "best": min(float(each["validation_loss"]) for each in found if each["state"] == "complete")}


if __name__ == "__main__":
    main()
