"""Whether two revisions train the same models: every experiment by each of them, on this machine, in this environment.

    python tools/same_bytes.py e689a0a HEAD                         # all experiments, from nothing to the model folder
    python tools/same_bytes.py e689a0a HEAD gunpoint -o train.max_steps=20
    python tools/same_bytes.py e689a0a HEAD --mirror FOLDER         # where downloads lie

Both revisions run in clones with the libraries of the Python that runs this script, so that a difference is the code's.
`text` and `lines` read the licence as their corpus. What was made once is kept below `--work` and not made again.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
COMPARED = ("model.safetensors", "step.onnx")
QUIET = ["runtime.tracking.enabled=false", "runtime.progress=false"]


def main() -> None:
    line = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    line.add_argument("before", help="revision of git")
    line.add_argument("after", help="revision of git")
    line.add_argument("experiments", nargs="*", help="of conf/experiment (default: all)")
    line.add_argument("-o", "--override", action="append", default=[], help="of Hydra, for every experiment")
    line.add_argument("--mirror", type=Path, help="folder that holds downloads by file name")
    line.add_argument("--work", type=Path, default=REPOSITORY / ".unroll" / "same_bytes")
    asked = line.parse_args()
    overrides = [*QUIET, *asked.override]
    overrides += [f"runtime.mirror={asked.mirror.resolve()}"] if asked.mirror else []
    names = asked.experiments or sorted(path.stem for path in (REPOSITORY / "conf" / "experiment").glob("*.yaml"))
    different = 0
    for name in names:
        before, after = (made(asked.work, commit(each), name, overrides) for each in (asked.before, asked.after))
        same = before == after
        different += not same
        print(f"{name}: {'same' if same else f'DIFFERENT {before} {after}'}", flush=True)
    sys.exit(1 if different else 0)


def commit(revision: str) -> str:
    done = subprocess.run(["git", "rev-parse", revision], cwd=REPOSITORY, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.strip()


def made(work: Path, revision: str, experiment: str, overrides: list[str]) -> dict[str, str]:
    """SHA-256 of each file that is compared, as one revision makes it."""
    key = hashlib.sha256(json.dumps([experiment, sorted(overrides)]).encode()).hexdigest()[:8]
    kept = work / revision[:12] / f"{experiment}-{key}.json"
    if not kept.exists():
        clone, root = work / revision[:12] / "clone", work / revision[:12] / f"{experiment}-{key}"
        if not clone.exists():
            subprocess.run(["git", "clone", "-q", REPOSITORY, clone], check=True)
            subprocess.run(["git", "checkout", "-q", revision], cwd=clone, check=True)
            (clone / "data" / "raw").mkdir(parents=True, exist_ok=True)
            shutil.copy(REPOSITORY / "LICENSE", clone / "data" / "raw" / "corpus.txt")
        root.mkdir(parents=True, exist_ok=True)
        started = time.monotonic()
        unroll(clone, root, "compose", f"experiment={experiment}", *overrides)
        shutil.copy(clone / "params.yaml", root / "params.yaml")
        for stage in ("prepare", "train"):
            unroll(clone, root, stage, "--root", str(root), "--project", str(clone))
        model = root / "artifacts" / "model"
        digests = {name: hashlib.sha256((model / name).read_bytes()).hexdigest()
                   for name in COMPARED if (model / name).exists()}
        kept.write_text(json.dumps({**digests, "seconds": round(time.monotonic() - started)}))
        shutil.rmtree(root)
    return {name: digest for name, digest in json.loads(kept.read_text()).items() if name in COMPARED}


def unroll(clone: Path, root: Path, *arguments: str) -> None:
    with (root / "log.txt").open("a") as log:
        done = subprocess.run([sys.executable, "-m", "unroll", *arguments], cwd=clone, check=False,
                              env=os.environ | {"PYTHONPATH": str(clone / "src")}, stdout=log, stderr=log)
    if done.returncode:
        sys.exit(f"{root.name}: unroll {arguments[0]} ended with {done.returncode}: {root / 'log.txt'}")


if __name__ == "__main__":
    main()
