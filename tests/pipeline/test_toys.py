"""A new kind of each thing through the whole pipeline: the files of docs/extend.md, among ours or as a package.

Each trains, is interrupted and resumes to the same bytes, is measured, and predicts or writes from Python.
"""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import yaml

from tests.conftest import REPOSITORY, TINY, refused
from tests.forks import forked
from tests.models.test_extend import blocks
from tests.toys import install, write
from unroll.base.extensions import read_lock
from unroll.prediction.archive import foreign_code
from unroll.tracking.models import write_model

SMALL = ["train.threads=1", "train.max_steps=12", "train.epochs=99", "train.batch_size=8", "train.validate_steps=4",
         "train.log_steps=1", "model.core.hidden_size=8", "runtime.progress=false", "runtime.tracking.enabled=false",
         "runtime.checkpoint.steps=3", "train.schedule.warmup_steps=0", "evaluate.gradient_reach=4", "generate.count=1"]
SERIES = ["data=toy", "model=rnn", "train.bptt=20"]
NPZ = {"kind": "npz", "path": "data/raw/toy.npz", "inputs": {"x": "real"}, "targets": {"y": "value"},
       "arrays": {"x": "X", "y": "y"}, "scale": "none", "missing": "refuse",
       "validation": 0.2, "test": 0.2, "licence": "none", "seed": 1}

# in a process that imports the project's src, whose kinds are more than ours
WHOLE = """
import json, sys
from pathlib import Path
from unroll.base.files import sha256
from unroll.base.workspace import Workspace
from unroll.commands.compose import freeze
from unroll.stages.pipeline import run_stages
from unroll.training.learner import Learner

freeze(Path(), sys.argv[1:], check=False)
here = Workspace(Path(), Path())
weights = here.model / "model.safetensors"
run_stages(("prepare", "train"), here)
digest = sha256(weights)
weights.unlink()
step = Learner.training_step

def interrupted(self, batch, index):
    if self.trainer.global_step == 7:
        raise KeyError("interrupted")
    return step(self, batch, index)

Learner.training_step = interrupted
try:
    run_stages(("train",), here)
except KeyError:
    pass
Learner.training_step = step
assert not weights.exists() and list(here.work.glob("*/step-000000006"))
run_stages(("train",), here)
assert sha256(weights) == digest, "a resumed training has other weights"
run_stages(("evaluate", "generate"), here)
metrics = json.loads((here.metrics / "test.json").read_text())
assert all(value == value for value in metrics.values()), metrics

import unroll

model = unroll.load(here.model)
if (here.samples / "predictions.csv").exists():
    print("PREDICTED", model.predict([[[0.5]] * 9])[0].shape)
else:
    (text,) = model.generate(["The "], seed=3, length=20)
    print("WRITTEN", len(text))
"""


@dataclass(frozen=True)
class Toy:
    group: str                  # in the singular: where its settings are, and its entry point's group
    settings: str               # the file of its settings
    code: str
    conf: str | None            # a file that chooses it
    overrides: tuple[str, ...]
    files: int                  # at most, by DESIGN: what an author touches
    result: str


TOYS = {
    "cell": Toy("cells", "config/cells/mgu.py", "models/cells/mgu.py", "conf/model/mgu.yaml",
                (*(each for each in TINY if "core" not in each), "model=mgu"), 3, "WRITTEN"),
    "loss": Toy("losses", "config/losses/log_cosh.py", "models/losses/log_cosh.py", None,
                (*SERIES, "task=regress", "model.heads.y.loss=log_cosh"), 2, "PREDICTED"),
    "head": Toy("heads", "config/heads/counts.py", "models/heads/counts.py", "conf/task/counts.yaml",
                (*SERIES, "task=counts"), 4, "PREDICTED"),
    "source": Toy("sources", "config/sources/walk.py", "sources/walk.py", "conf/data/walk.yaml",
                  ("data=walk", "data.walks=40", "data.steps=12", "task=tag", "model=rnn", "train.bptt=20"), 3, "PREDICTED"),
}


@pytest.fixture
def project(tmp_path: Path, english: str) -> Path:
    """A copy of this project with a text and some series."""
    folder = tmp_path / "project"
    for name in ("src", "conf"):
        shutil.copytree(REPOSITORY / name, folder / name, ignore=shutil.ignore_patterns("*.egg-info"))
    for name in ("dvc.yaml", "requirements.lock"):
        shutil.copy(REPOSITORY / name, folder)
    draw = np.random.default_rng(0)
    (folder / "data" / "raw").mkdir(parents=True)
    (folder / "data" / "raw" / "corpus.txt").write_text(english, encoding="utf-8", newline="")
    np.savez(folder / "data" / "raw" / "toy.npz", X_train=draw.random((60, 9, 1)), y_train=draw.integers(0, 5, 60).astype(float))
    (folder / "conf" / "data" / "toy.yaml").write_text(yaml.safe_dump(NPZ))
    return folder


def tree(folder: Path) -> dict[str, bytes]:
    return {file.relative_to(folder).as_posix(): file.read_bytes()
            for part in ("src", "conf") for file in (folder / part).rglob("*") if file.is_file() and file.suffix != ".pyc"}


def run(project: Path, toy: Toy, *path: Path) -> str:
    code, output = forked(WHOLE, *toy.overrides, *SMALL, cwd=project, path=[project / "src", *path])
    assert code == 0, output
    return output


SERVED = """
import sys, mlflow

model = mlflow.pyfunc.load_model(sys.argv[1])
(text,) = model.predict(["The "], params={"length": 5, "seed": 3})["text"]
assert "unroll.zip" in sys.modules["toy_cell.code"].__file__, sys.modules["toy_cell.code"].__file__
print("SERVED", len(text))
"""


def serve(project: Path, folder: Path) -> None:
    """What MLflow logs carries the package's code, or says why it does not."""
    model = project / "artifacts" / "model"
    write_model(folder / "logged", model, "", "m-1")
    code, output = forked(SERVED, folder / "logged", cwd=folder, path=[])
    assert code == 0 and "SERVED 9" in output, output
    record = folder / "site" / "toy_cell-1.0.dist-info" / "RECORD"
    plain = record.read_text()
    (folder / "site" / "toy_cell" / "fast.so").touch()
    record.write_text(plain + "toy_cell/fast.so,,\n")
    with refused("extension", "unroll.cells:mgu", "toy_cell/fast.so"):
        foreign_code(model)
    record.write_text(plain)
    (folder / "site" / "toy_cell" / "fast.so").unlink()


@pytest.mark.parametrize("thing", TOYS)
def test_as_files_among_ours(project: Path, thing: str) -> None:
    toy, files, before = TOYS[thing], blocks(), tree(project)
    names = [f"src/unroll/{toy.settings}", f"src/unroll/{toy.code}", *([toy.conf] if toy.conf else [])]
    write(project, {name: files[name] for name in names})
    now = tree(project)
    assert 0 < len([name for name in now if now[name] != before.get(name)]) <= toy.files
    assert toy.result in run(project, toy)
    assert read_lock(project / "extensions.lock") == []


@pytest.mark.parametrize("thing", TOYS)
def test_as_a_package_that_the_lock_names(project: Path, thing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toy, files = TOYS[thing], blocks()
    kind, package = Path(toy.code).stem, f"toy_{thing}"
    settings, code = files[f"src/unroll/{toy.settings}"], files[f"src/unroll/{toy.code}"]
    named = f'    implementation: ClassVar[str] = "{package}.code"\n'
    settings = re.sub(r'(?m)^(class .*:\n    """.*?"""\n)', rf"\1\n{named}", settings)
    own = "unroll." + toy.settings.removesuffix(".py").replace("/", ".")
    install(tmp_path / "site", package.replace("_", "-"), {
        f"{package}/__init__.py": "from typing import ClassVar\n" + settings,
        f"{package}/code.py": code.replace(own, package),
    }, {f"unroll.{toy.group}": f"{kind} = {package}"})
    if toy.conf:
        write(project, {toy.conf: files[toy.conf]})
    assert toy.result in run(project, toy, tmp_path / "site")
    (locked,) = read_lock(project / "extensions.lock")
    assert (locked.group, locked.name, locked.distribution) == (f"unroll.{toy.group}", kind, package.replace("_", "-"))
    if thing == "cell":
        (tmp_path / "logged").mkdir()
        monkeypatch.syspath_prepend(tmp_path / "site")
        serve(project, tmp_path)
    # without it, or with other code in it, no stage runs
    (tmp_path / "site" / package / "code.py").write_text(code + "# edited\n")
    for path in ([tmp_path / "site"], []):
        done = subprocess.run([sys.executable, "-m", "unroll", "train"], cwd=project, text=True, check=False,
                              env=os.environ | {"PYTHONPATH": os.pathsep.join(map(str, (project / "src", *path)))},
                              stderr=subprocess.PIPE)
        assert done.returncode == 2 and done.stderr.endswith(" [extension]\n"), done.stderr
        assert done.stderr.count("\n") == 1
