"""Whether sequences that reach beyond `train.bptt` are learnt to their end.

    python -m benchmarks.items                  three seeds, a few minutes
    python -m benchmarks.items --lines FILE     a list of your own, a sequence a line

The generated lines have 304 characters: 200 at random, then a mark and what always follows it, so that positions 201
to 304 can be learnt well, and only by whoever trains on them. Each network reads the same lines equally often,
`train.bptt` 64 or 400 characters at a time. The loss by position is that of `unroll.load(…).predict`, in bits per
character, on lines of the test split. Results go to benchmarks/results/items.json.
"""

import argparse
import json
import random
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

PROJECT = Path(__file__).parent.parent
REACHES, SEEDS = (64, 400), (1, 2, 3)
FIRST, LAST = 201, 304      # positions, from 1


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--lines", type=Path)
    options.add_argument("--epochs", type=int, default=8)
    asked = options.parse_args()
    runs = []
    with TemporaryDirectory() as folder:
        text = generated() if asked.lines is None else asked.lines.read_text(encoding="utf-8")
        for seed in SEEDS:
            for reach in REACHES:
                runs.append(run(Path(folder) / f"{reach}-{seed}", text, reach, seed, asked.epochs))
                print(json.dumps(runs[-1]), flush=True)
    found = {"lines": "generated" if asked.lines is None else asked.lines.name, "epochs": asked.epochs, "runs": runs,
             "mean": {str(reach): {name: mean(entry[name] for entry in runs if entry["bptt"] == reach)
                                   for name in ("late", "all", "validation", "validation_again")} for reach in REACHES}}
    name = "items" if asked.lines is None else f"items-{asked.lines.stem}"
    (PROJECT / "benchmarks" / "results" / f"{name}.json").write_text(json.dumps(found, indent=2) + "\n")
    print(json.dumps(found["mean"], indent=2))


def generated() -> str:
    letters = random.Random(1)
    return "".join("".join(letters.choice("abcdefgh") for _ in range(200)) + "|" + "0123456789" * 10 + "END\n"
                   for _ in range(400))


def run(root: Path, text: str, reach: int, seed: int, epochs: int) -> dict[str, Any]:
    """Train in a process of its own, as a user does; measure what the model folder predicts."""
    (root / "data" / "raw").mkdir(parents=True)
    (root / "data" / "raw" / "lines.txt").write_text(text, encoding="utf-8")
    for name in ("src", "dvc.yaml", "requirements.lock", "extensions.lock"):
        (root / name).symlink_to(PROJECT / name)
    overrides = ["experiment=lines", "data.path=data/raw/lines.txt", f"train.bptt={reach}", f"train.seed={seed}",
                 f"train.epochs={epochs}", "train.batch_size=16", "model=gru", "model.core.hidden_size=64",
                 "model.heads.text.dropout=0", "train.schedule.warmup_steps=10", "train.threads=1",
                 "runtime.tracking.enabled=false", "runtime.progress=false"]
    script = ("import sys; from pathlib import Path; from unroll.base.workspace import Workspace; "
              "from unroll.compose import compose; from unroll.stages.pipeline import run_stages; "
              "root = Path(sys.argv[1]); text = compose(Path('conf'), sys.argv[2:])[0]; "
              "(root / 'params.yaml').write_text(text); "
              "run_stages(('prepare', 'train', 'evaluate'), Workspace(root, root))")
    subprocess.run([sys.executable, "-c", script, str(root), *overrides], cwd=PROJECT, check=True,
                   stdout=subprocess.DEVNULL)
    figures = {name: value for file in ("train", "test")
               for name, value in json.loads((root / "metrics" / f"{file}.json").read_text()).items()}
    bits = by_position(root)
    return {"bptt": reach, "seed": seed, "late": float(np.nanmean(bits[:, FIRST - 1 : LAST])),
            "all": float(np.nanmean(bits)), "validation": figures["val/best_bpc"],
            "validation_again": figures["best/val_bpc"]}


def by_position(root: Path) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Bits of each character of each line of the test split, (lines, longest), NaN after a line's end."""
    import unroll
    from unroll.data.store import open_prepared

    prepared = open_prepared(root / "data" / "prepared")
    offsets, tokens = prepared.offsets("test"), prepared.tokens("text", "test")
    assert offsets is not None
    lines = [np.asarray(tokens[first:last]) for first, last in pairwise(offsets)]
    costs = [-np.log2(found) for found in unroll.load(root / "artifacts" / "model").predict_all(lines)["text"]]
    table = np.full((len(costs), max(map(len, costs))), np.nan)
    for row, cost in zip(table, costs, strict=True):
        row[: len(cost)] = cost
    return table


if __name__ == "__main__":
    main()
