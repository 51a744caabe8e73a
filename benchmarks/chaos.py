"""Kill a training again and again, at every kind of moment, and see whether it ends in the same bytes.

    python benchmarks/chaos.py                          fifty kills
    python benchmarks/chaos.py --kills 8 --seed 3
    python benchmarks/chaos.py --without hidden         that it sees one lost: hidden, order, random, fsync

A kill is SIGKILL, and what was not synced is lost, as when the power fails. Trainings are small: what is tested is when
they end, not what they learn. Results go to benchmarks/results/chaos.json.
"""

import argparse
import itertools
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

PROJECT = Path(__file__).parent.parent
OVERRIDES = [
    "experiment=smoke", "data.package=pooch", f"data.version={version('pooch')}", "runtime.progress=false",
    "runtime.tracking.enabled=false", "runtime.checkpoint.steps=5",
    "model.core.hidden_size=16", "model.core.num_layers=2", "model.core.dropout=0.2", "train.accumulate=2",
    "train.epochs=3", "train.bptt=32", "train.batch_size=16", "train.max_steps=60", "train.validate_steps=37",
    "train.log_steps=3", "train.threads=1",
]
PHASES = ("half written", "not synced", "not renamed", "renamed")
OUTPUTS = 6     # that a training writes
WRITTEN = (".unroll", "artifacts", "metrics", "plots")
Start = Callable[[list[str], Path], tuple[int, str]]
LOST = ("hidden", "order", "random", "fsync")       # what can be switched off, to see it caught


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--kills", type=int, default=50)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--without", choices=LOST)
    options.add_argument("--child", nargs=4, metavar=("ROOT", "PLACE", "NUMBER", "PHASE"), help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.child:
        root, place, number, phase = chosen.child
        child(Path(root), place, int(number), phase, chosen.without)
        return
    with TemporaryDirectory() as folder:
        result = chaos(Path(folder), chosen.kills, chosen.seed, chosen.without)
    print(result)
    if chosen.without is None:
        from unroll.base.files import write_json

        command = f"python benchmarks/chaos.py --kills {chosen.kills} --seed {chosen.seed}"
        write_json(PROJECT / "benchmarks" / "results" / "chaos.json", {"command": command, **result})
    if result["identical"] < result["trainings"] or result["checkpoints lost"]:
        sys.exit(1)


def process(arguments: list[str], root: Path) -> tuple[int, str]:
    """The exit code of this file with these arguments, and what it wrote."""
    done = subprocess.run([sys.executable, __file__, *arguments], cwd=PROJECT, text=True, check=False,
                          env={**os.environ, "DVC_ROOT": str(root), "PYTHONPATH": "src"},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


def chaos(root: Path, kills: int, seed: int, without: str | None = None, start: Start = process) -> dict[str, Any]:
    """Trainings that are killed as often as that in all, and how many of them ended in the expected bytes."""
    from unroll.base.workspace import Workspace
    from unroll.compose import compose
    from unroll.stages.pipeline import run_stages

    (root / "params.yaml").write_text(compose(PROJECT / "conf", OVERRIDES)[0], encoding="utf-8")
    run_stages(("prepare",), Workspace(PROJECT, root))
    train(root, "never", 0, "", None, start)
    expected = outputs(root)
    draw = random.Random(seed)
    struck: Counter[str] = Counter()
    identical = lost = 0
    plans = plan(kills, draw)
    for places in plans:
        for folder in WRITTEN:
            shutil.rmtree(root / folder, ignore_errors=True)
        for place in places:
            numbers = {"step": draw.randint(11, 25), "checkpoint": draw.randint(1, 2),
                       "output": draw.randint(1, OUTPUTS), "resume": draw.randint(1, 2)}
            phase = draw.choice(PHASES)
            killed, log = train(root, place, numbers[place], phase, without, start)
            struck[place] += killed
            lost += "is damaged" in log
            print(f"{place} {numbers[place]}, {phase}: {'killed' if killed else 'too late'}; {log}", flush=True)
        log = train(root, "never", 0, "", without, start)[1]
        lost += "is damaged" in log
        print(f"ended; {log}", flush=True)
        identical += outputs(root) == expected
    return {"trainings": len(plans), "identical": identical, "checkpoints lost": lost,
            "kills": dict(sorted(struck.items()))}


def plan(kills: int, draw: random.Random) -> list[list[str]]:
    """Where each training is killed: a tenth in a second resume, a fifth in checkpoints, a fifth in outputs."""
    plans = [["step", "step", "resume"]] * (kills // 10) + [["checkpoint", "output"]] * (kills // 5)
    while (left := kills - sum(map(len, plans))) > 0:
        plans.append(draw.choices(("step", "checkpoint", "output"), (2, 1, 1), k=min(left, draw.randint(1, 2))))
    draw.shuffle(plans)
    return [sorted(places, key=("step", "checkpoint", "resume", "output").index) for places in plans]


def train(root: Path, place: str, number: int, phase: str, without: str | None, start: Start) -> tuple[bool, str]:
    """Whether the training was killed, and its lines about resuming."""
    arguments = ["--child", str(root), place, str(number), phase]
    code, said = start([*arguments, *(["--without", without] if without else [])], root)
    if code not in (0, -signal.SIGKILL):
        raise RuntimeError(f"exit code {code}: {said}")
    return code != 0, "; ".join(line for line in said.splitlines() if "going on" in line)


def outputs(root: Path) -> dict[str, bytes]:
    return {file.relative_to(root).as_posix(): file.read_bytes()
            for folder in WRITTEN[1:] for file in (root / folder).rglob("*") if file.is_file()}


def child(root: Path, place: str, number: int, phase: str, without: str | None) -> None:
    """`unroll train` that kills itself at the given moment."""
    from unroll.base import files
    from unroll.commands.cli import main as unroll
    from unroll.models.dropout import Masks
    from unroll.training import learner
    from unroll.training.batches import Batches
    from unroll.training.checkpoints import Files

    started, kinds = time.time(), [""]
    synced: set[int] = set()
    count: Counter[tuple[str, str]] = Counter()
    fsync, sync, sync_folder = os.fsync, files._sync, files._sync_folder
    step, load, ready = learner.Learner.training_step, Files.load_checkpoint, learner.Learner.on_train_start

    def event(kind: str, moment: str) -> None:
        count[kind, moment] += 1
        if (kind, moment, count[kind, moment]) != (place, phase if kind in ("checkpoint", "output") else "", number):
            return
        for folder in WRITTEN:
            for file in (root / folder).rglob("*"):     # as when the power fails
                found = file.stat()
                if file.is_file() and found.st_mtime >= started and found.st_ino not in synced:
                    os.truncate(file, found.st_size // 2)
        os.kill(os.getpid(), signal.SIGKILL)

    def recorded(handle: int) -> None:
        fsync(handle)
        synced.add(os.fstat(handle).st_ino)

    def syncing(path: Path) -> None:
        kinds[0] = "checkpoint" if path.name.startswith(".step-") else "best" if "best" in path.name else "output"
        event(kinds[0], "half written")
        event(kinds[0], "not synced")
        if without != "fsync":
            sync(path)
        event(kinds[0], "not renamed")

    def renamed(path: Path) -> None:
        sync_folder(path)
        event(kinds[0], "renamed")

    def stepping(*arguments: Any) -> Any:
        event("step", "")
        return step(*arguments)

    def loading(*arguments: Any, **others: Any) -> Any:
        event("resume", "")
        return load(*arguments, **others)

    def starting(own: Any) -> None:
        if own._state is not None:
            event("resume", "")
        ready(own)

    put(os, fsync=recorded)
    put(files, _sync=syncing, _sync_folder=renamed)
    put(Files, load_checkpoint=loading)
    put(learner.Learner, training_step=stepping, on_train_start=starting)
    match without:
        case "hidden":
            put(learner.Learner, on_load_checkpoint=lambda *_: None)
        case "order":
            put(Batches, load_state_dict=lambda *_: None)
        case "random":
            numbers = itertools.count()
            put(learner, Masks=lambda seed, _, lanes: Masks(seed, next(numbers), lanes))
    unroll(["train", "--root", str(root)])


def put(place: Any, **others: Any) -> None:
    for name, other in others.items():
        setattr(place, name, other)


if __name__ == "__main__":
    main()
