"""The rows of docs/results.md: each task's experiment over several seeds, beside networks without a recurrence.

    python benchmarks/rows.py                           every row; hours on two cores
    python benchmarks/rows.py japanese_vowels jsb       some of them
    python benchmarks/rows.py airline --seeds 1 --networks gru

A row's networks differ in their core alone; those without a recurrence are as large as the first one, within what
their hidden size can do. Results go to benchmarks/results/rows/<row>.json, from which `python tools/results.py` writes
docs/results.md; `--networks` replaces those networks there and keeps the others. Data that the network must be fetched
from is looked for in --mirror first. Each run is appended to <row>.jsonl as it ends, so that the same command after an
interruption repeats none of them; the file is removed once the row is complete.
"""

import argparse
import json
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from statistics import mean, stdev
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from unroll.base.files import sha256, write_json
from unroll.base.workspace import Workspace
from unroll.compose import compose
from unroll.config.schema import Config
from unroll.data.store import open_prepared
from unroll.evaluation.reports import classification
from unroll.models.manifest import WEIGHTS
from unroll.models.network import build
from unroll.stages.evaluate import evaluate
from unroll.stages.prepare import prepare
from unroll.stages.train import train

PROJECT = Path(__file__).parent.parent
sys.path.insert(0, str(PROJECT))    # as a script, it has its own folder there
FIXED = ["runtime.progress=false", "runtime.tracking.enabled=false"]


@dataclass(frozen=True)
class Row:
    """`networks` are overrides by name; the first is the experiment as it stands."""

    experiment: str
    networks: dict[str, list[str]]
    equal: tuple[str, ...] = field(default=())      # which are made as large as the first
    settings: tuple[str, ...] = field(default=())   # overrides that all of them share
    seeds: tuple[int, ...] = (1, 2, 3)
    measured_by: str = ""       # a file beside this one, whose `measure` is used instead
    base: str | None = None     # an experiment whose model some of them begin with, of the same seed


def only(*targets: str) -> list[str]:
    """Overrides of `objects` and `half_labelled` that take these targets out."""
    return [f"~{section}.{target}" for target in targets for section in ("data.targets", "model.heads")]


BEYOND_REACH = {"bptt 64": [], "whole lines": ["train.bptt=600"]}
LABELS_ALONE = {"with the next word": [], "labels alone": only("text")}
LONG_TAIL = {
    "cross-entropy": [],
    "weighted by frequency": ["model.heads.label.loss={kind: weighted_cross_entropy, power: 1.0, weights: {}}"],
    "focal": ["model.heads.label.loss={kind: focal, gamma: 2.0}"],
    "class-balanced": ["model.heads.label.loss={kind: class_balanced, beta: 0.999}"],
    "LDAM": ["model.heads.label.loss={kind: ldam, max_margin: 0.5, scale: 5.0, reweight: {after: 10, beta: 0.999}}"],
    "logit-adjusted": ["model.heads.label.loss={kind: logit_adjusted, tau: 1.0}"],
    "balanced sampler": ["train.balance=label"],
}
TRANSFER = {"from scratch": [], "pre-trained": [    # what is in <> is of the model of the row's `base`
    "data/tokenizer=reused", "data.tokenizer.path='<folder>/text.tokenizer.json'", "data.tokenizer.sha256=<vocabulary>",
    "data.tokenizer.extend=2", "pretrained.model='<folder>'", "pretrained.sha256=<weights>",
    "pretrained.load=[inputs.text,core]"]}
HOLES = {"gru, mask": [], "grud": ["model=grud", "model.core.hidden_size=32"],
         **{f"gru, {fill}": [f"data.missing={fill}"] for fill in ("forward", "mean", "interpolate")}}
STAMPS = {"gru, gaps": [], "gru, bins": ["data.bin=30", *(f"~{section}.{name}" for name, sections in (
    ("gap", ("data.inputs", "model.inputs")), ("ahead", ("data.inputs", "model.inputs", "data.columns")))
    for section in sections)]}
WITHOUT = {"mlp": ["model=mlp"], "cnn": ["model=cnn"]}
ROWS = {
    "gunpoint_lstm50": Row("gunpoint_lstm50", {"lstm": []}),
    "gunpoint_lstm128": Row("gunpoint_lstm128", {"lstm": []}),
    "gunpoint": Row("gunpoint", {"bigru": [], **WITHOUT}, ("mlp", "cnn")),
    "japanese_vowels": Row("japanese_vowels", {"bigru": [], "bilstm": ["model=bilstm"], **WITHOUT}, ("mlp", "cnn")),
    "basic_motions": Row("basic_motions", {"bigru": [], "bilstm": ["model=bilstm"], **WITHOUT}, ("mlp", "cnn")),
    "code": Row("code", {"lstm": [], "mlp": ["model=mlp", "model.core.window=16"], "cnn": ["model=cnn"]},
                ("mlp", "cnn")),
    "signals": Row("signals", {"lstm": [], "mlp": ["model=mlp", "model.core.window=32"],
                               "cnn": ["model=cnn"]}, ("mlp", "cnn")),
    "covid": Row("covid", {"rnn": [], **WITHOUT}, ("mlp", "cnn")),
    "mackey_glass": Row("mackey_glass", {"rnn, tanh": [], "rnn, identity": ["model.core.nonlinearity=identity"]}),
    "airline": Row("airline", {"gru": [], **WITHOUT}, ("mlp", "cnn")),
    "solar": Row("solar", {"gru": [], **WITHOUT}, ("mlp", "cnn")),
    **{f"etth1_{horizon}": Row("etth1", {"gru": [], "gru, all steps at once": ["model.heads.x.decoder=null"]},
                               settings=(f"data.forecast.horizon={horizon}",)) for horizon in (96, 336)},
    **{f"beijing_{share}": Row("beijing", HOLES, settings=(f"data.hidden={share / 100}",)) for share in (10, 30, 50)},
    **{f"parking_{share}": Row("parking", STAMPS, settings=(f"data.removed={share / 100}",)) for share in (0, 50, 80)},
    "jsb": Row("jsb", {"lstm": [], "gru": ["model=gru"], "rnn": ["model=rnn"]}),
    "nottingham": Row("nottingham", {"lstm": []}),
    "docstrings": Row("docstrings", {"bigru": [], "bilstm": ["model=bilstm"], "mlp": ["model=mlp",
                      "model.core.window=8"], "cnn": ["model=cnn"]}, ("mlp", "cnn")),
    "counting": Row("counting", BEYOND_REACH),
    "docstring_lines": Row("docstring_lines", BEYOND_REACH),
    "objects": Row("objects", {
        "three targets": [], "three, twice the epochs": ["train.epochs=12"],
        "three, twice the units": ["model.core.hidden_size=128"],
        "three, parameters weigh a tenth": ["+train.weights.parameters=0.1"],
        "text alone": ["~data.inputs.numbers", "~model.inputs.numbers"],
        "package alone": only("kind", "parameters"),
        "kind alone": [*only("package", "parameters"), "train.monitor=kind/macro_f1"],
        "parameters alone": [*only("package", "kind"), "train.monitor=parameters/loss"],
    }),
    "transfer": Row("transfer", TRANSFER, base="next_word"),
    "transfer_30": Row("transfer", TRANSFER, settings=("data.labelled=0.3",), base="next_word"),
    "transfer_100": Row("transfer", TRANSFER, settings=("data.labelled=1.0", "data.unlabelled=[]"), base="next_word"),
    "half_labelled": Row("half_labelled", LABELS_ALONE),
    "docstrings_tail": Row("docstrings_tail", LONG_TAIL, seeds=(1, 2, 3, 4, 5)),
    "half_labelled_30": Row("half_labelled", LABELS_ALONE, settings=("data.labelled=0.3",)),
    "nafld": Row("nafld", {"gru": [], "gru-d": ["model=grud", "model.core.hidden_size=32"]}, measured_by="survival"),
    "half_labelled_100": Row("half_labelled", LABELS_ALONE, settings=("data.labelled=1.0", "data.unlabelled=[]")),
}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(ROWS)}; none: all")
    options.add_argument("--seeds", type=int, nargs="+", help="(default: the row's)")
    options.add_argument("--networks", nargs="+")
    options.add_argument("--mirror", type=Path)
    options.add_argument("--out", type=Path, default=PROJECT / "benchmarks" / "results" / "rows")
    options.add_argument("--set", nargs="+", default=[], help="further overrides, to try something out")
    chosen = options.parse_args()
    for name in chosen.rows or ROWS:
        row = ROWS[name]
        seeds = chosen.seeds or [*row.seeds]
        asked = f" --seeds {' '.join(map(str, seeds))}" if seeds != [*row.seeds] else ""
        names = [each for each in row.networks if not chosen.networks or each in chosen.networks]
        fixed = [*FIXED, *([f"runtime.mirror={chosen.mirror.resolve()}"] if chosen.mirror else []), *chosen.set]
        ended = Ended(chosen.out / f"{name}.jsonl")
        with TemporaryDirectory() as folder:
            by = import_module(f"benchmarks.{row.measured_by}").measure if row.measured_by else measure
            measured = by(row, names, seeds, fixed, Workspace(PROJECT, Path(folder)), ended)
        path = chosen.out / f"{name}.json"
        if chosen.networks and path.exists():
            measured = merged(json.loads(path.read_text(encoding="utf-8")), measured, seeds, row)
        write_json(path, {
            "command": f"python benchmarks/rows.py {name}{asked}", "experiment": row.experiment, "seeds": seeds,
            "network": next(each for each in row.networks if each in measured["networks"]), **measured,
        })
        ended.path.unlink(missing_ok=True)
        print(path, flush=True)


class Ended:
    """Runs that have ended, a line each, found again by the overrides that made them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        self.runs = {tuple(run["overrides"]): run["figures"] for run in map(json.loads, lines)}

    def get(self, overrides: list[str]) -> dict[str, float] | None:
        return self.runs.get(tuple(overrides))

    def add(self, overrides: list[str], figures: dict[str, float]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"overrides": overrides, "figures": figures}) + "\n")


class Bases:
    """Models that others begin with, each trained when it is first asked for."""

    def __init__(self) -> None:
        self._root = TemporaryDirectory()
        self._known: dict[tuple[str, int], dict[str, str]] = {}

    def filled(self, overrides: list[str], experiment: str | None, seed: int, fixed: list[str]) -> list[str]:
        """The overrides with the base's folder and digests in the places of their names."""
        if experiment is None or not any("<folder>" in each for each in overrides):
            return overrides
        found = self._known.get((experiment, seed)) or self._train(experiment, seed, fixed)
        self._known[experiment, seed] = found
        for name, value in found.items():
            overrides = [each.replace(f"<{name}>", value) for each in overrides]
        return overrides

    def _train(self, experiment: str, seed: int, fixed: list[str]) -> dict[str, str]:
        workspace = Workspace(PROJECT, Path(self._root.name) / experiment / str(seed))
        config = compose(PROJECT / "conf", [f"experiment={experiment}", f"train.seed={seed}", *fixed])[1]
        prepare(workspace, config.runtime, config.data)
        train(workspace, config.runtime, config.data, config.model, config.train, config.pretrained)
        return {"folder": str(workspace.model), "weights": sha256(workspace.model / WEIGHTS),
                "vocabulary": sha256(workspace.model / "text.tokenizer.json")}


def measure(row: Row, names: list[str], seeds: list[int], fixed: list[str], workspace: Workspace, ended: Ended
            ) -> dict[str, Any]:
    parameters = 0
    baselines: dict[str, float] = {}
    networks: dict[str, dict[str, object]] = {}
    prepared, bases = None, Bases()
    for name in names:
        runs = []
        for seed in seeds:
            overrides = [f"experiment={row.experiment}", *row.settings, *row.networks[name],
                         f"train.seed={seed}", *fixed]
            if baselines:       # the same ones for every network
                overrides.append("evaluate.dtw_cells=1")
            figures = ended.get(overrides)
            if figures is None:
                filled = bases.filled(overrides, row.base, seed, fixed)
                config = compose(PROJECT / "conf", filled)[1]
                if config.data != prepared:
                    shutil.rmtree(workspace.prepared, ignore_errors=True)
                    prepare(workspace, config.runtime, config.data)
                    prepared = config.data
                if name in row.equal and parameters:
                    size = equal_size(config, workspace, parameters)
                    config = compose(PROJECT / "conf", [*filled, f"model.core.hidden_size={size}"])[1]
                with known_baselines(bool(baselines)):
                    figures = by_target(run(workspace, config), config)
                ended.add(overrides, figures)
            baselines = baselines or {each: value for each, value in figures.items() if each.startswith("baseline/")}
            runs.append({each: value for each, value in figures.items() if not each.startswith("baseline/")})
            print(name, seed, {each: round(value, 4) for each, value in runs[-1].items()
                               if each.startswith(("test/", "best/val", "train/best", "seconds"))}, flush=True)
        parameters = parameters or int(runs[0]["model/parameters"])
        networks[name] = {
            "mean": {each: mean(run[each] for run in runs) for each in runs[0]},
            "std": {each: stdev([run[each] for run in runs]) if len(runs) > 1 else 0.0 for each in runs[0]},
            "seeds": {each: [run[each] for run in runs] for each in runs[0] if each.startswith("test/")},
        }
    return {"networks": networks, "baselines": baselines}


@contextmanager
def known_baselines(known: bool) -> Iterator[None]:
    """Leave TF-IDF out where it is known: it takes longer than a small network."""
    with patch.object(classification, "words", lambda *_: {}) if known else nullcontext():
        yield


def merged(before: dict[str, Any], measured: dict[str, Any], seeds: list[int], row: Row) -> dict[str, Any]:
    if before["seeds"] != seeds:
        raise SystemExit(f"the row's other networks were measured with seeds {before['seeds']}, these with {seeds}")
    networks = before["networks"] | measured["networks"]
    paired = {"paired": before.get("paired", {}) | measured["paired"]} if "paired" in measured else {}
    return {**paired, "networks": {name: networks[name] for name in row.networks if name in networks},
            "baselines": measured["baselines"] | before["baselines"]}


def run(workspace: Workspace, config: Config) -> dict[str, float]:
    started = time.perf_counter()
    train(workspace, config.runtime, config.data, config.model, config.train, config.pretrained)
    seconds = time.perf_counter() - started
    evaluate(workspace, config.runtime, config.evaluate)
    figures: dict[str, float] = {"seconds": seconds}
    for name in ("train", "test"):
        figures |= json.loads((workspace.metrics / f"{name}.json").read_text(encoding="utf-8"))
    return figures


def by_target(figures: dict[str, float], config: Config) -> dict[str, float]:
    """With an only target's name in what is measured of it, as where there are others."""
    (target, *others) = config.data.targets
    if others:
        return figures
    return figures | {f"{prefix}{target}/{name.removeprefix(prefix)}": value for name, value in figures.items()
                      for prefix in ("val/best_", "test/") if name.startswith(prefix)}


def equal_size(config: Config, workspace: Workspace, parameters: int) -> int:
    """The hidden size with which a network comes closest to so many parameters."""
    spec = open_prepared(workspace.prepared).spec

    def count(size: int) -> int:
        core = config.model.core.model_copy(update={"hidden_size": size})
        network = build(config.model.model_copy(update={"core": core}), spec, seed=0)
        return sum(each.numel() for each in network.parameters() if each.requires_grad)

    low, high = 1, 2
    while count(high) < parameters:
        high *= 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if count(middle) < parameters else (low, middle)
    return min((low, high), key=lambda size: abs(count(size) - parameters))


if __name__ == "__main__":
    main()
