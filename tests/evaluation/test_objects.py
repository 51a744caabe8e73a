"""The experiments of several inputs and targets, on small packages, from their source to their figures."""

import importlib.metadata
import json
import math
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY, run
from unroll.base.workspace import Workspace
from unroll.compose import compose
from unroll.data.source import SPLITS
from unroll.data.store import open_prepared
from unroll.evaluation.comparison import read_comparisons

VERSIONS = ", ".join(f"{name}: {importlib.metadata.version(name)}" for name in ("filelock", "pooch"))
SHORT = ["~data.packages", f"+data.packages={{{VERSIONS}}}", "train.epochs=2", "train.max_steps=6", "train.log_steps=2",
         "model.core.hidden_size=6", "generate.temperatures=[1.0]", "evaluate.lanes=8", "evaluate.train_tokens=500",
         "runtime.progress=false", "runtime.tracking.enabled=false"]
OWN_LABELS = ["~data.targets.text", "~model.heads.text"]


@pytest.mark.parametrize(("experiment", "changes", "targets"), [
    ("objects", [], ["package", "kind", "parameters"]),
    ("objects", ["~data.inputs.numbers", "~model.inputs.numbers"], ["package", "kind", "parameters"]),
    ("objects", ["model=gru", "model.inputs.numbers.joins=start"], ["package", "kind", "parameters"]),
    ("half_labelled", [], ["package", "text"]),
    ("half_labelled", [*OWN_LABELS, "data.labelled=0.3"], ["package"]),
])
def test_every_target_has_its_figures(tmp_path: Path, experiment: str, changes: list[str], targets: list[str]) -> None:
    workspace = Workspace(tmp_path, tmp_path)
    run(workspace, compose(REPOSITORY / "conf", [f"experiment={experiment}", *SHORT, *changes])[1], "prepare", "train",
        "evaluate", "generate")
    found = json.loads((workspace.metrics / "test.json").read_text())
    assert all(math.isfinite(value) for value in found.values())
    for target in targets:
        assert (f"test/{target}/loss" if len(targets) > 1 else "test/loss") in found
    assert set(read_comparisons(workspace.comparison)) == set(targets)
    assert any(workspace.samples.iterdir())
    # training's own validation says what the evaluation says; its bits are per character of the training split
    own = {name.removeprefix("val/best_"): value
           for name, value in json.loads((workspace.metrics / "train.json").read_text()).items()
           if name.startswith("val/best_") and not name.endswith("bpc")}
    if len(targets) > 1:
        del own["loss"]     # of all targets together
    assert own and {name: found[f"best/val_{name}"] for name in own} == pytest.approx(own, rel=1e-4)


def test_a_tenth_of_the_training_items_is_labelled(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path, tmp_path)
    run(workspace, compose(REPOSITORY / "conf", ["experiment=half_labelled", *SHORT])[1], "prepare")
    prepared = open_prepared(workspace.prepared)
    share = {split: len(prepared.known("package", split)) / prepared.spec.splits[split].sequences for split in SPLITS}
    assert share == {"train": pytest.approx(0.1, abs=0.003), "validation": 1, "test": 1}
