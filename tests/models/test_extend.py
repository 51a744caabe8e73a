"""docs/extend.md is true: its files, put where it says, are a cell, a loss and a head that pass the checks."""

import re
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import unroll
from tests.conftest import REPOSITORY, refused, run, tiny
from tests.forks import forked
from tests.models.conftest import core as core_of
from unroll.base.workspace import Workspace
from unroll.commands import cli
from unroll.commands.export import export
from unroll.config.cells import CELLS
from unroll.models.manifest import STEP

USE = """
import sys, torch, yaml
from pathlib import Path
from unroll.config.cells import CELLS
from unroll.config.model import ModelConfig
from unroll.testing import check_cell

assert not {"unroll_mgu", "unroll.models.cells.mgu"} & sys.modules.keys(), "imported before it was named"
exec(Path(sys.argv[1]).read_text())
core = yaml.safe_load(Path(sys.argv[2]).read_text())["core"]
settings = ModelConfig.model_validate({"inputs": {}, "core": core, "heads": {}}).core
assert settings.kind == "mgu" and settings.hidden_size == 128
print(CELLS.code_of("mgu", "Cell").__module__)
"""


HEADS_USE = """
import sys, yaml
from pathlib import Path
from unroll.config.model import ModelConfig
from unroll.evaluation.reports import report_of

folder = Path(sys.argv[1])
exec((folder / "check_loss").read_text())
exec((folder / "check_head").read_text())
task = yaml.safe_load((folder / "conf/task/counts.yaml").read_text())
head = ModelConfig.model_validate({**task, "core": CORE}).heads["y"]
assert (head.kind, head.per_sequence, head.pooling.kind) == ("counts", True, "last")
assert report_of(head).__module__ == "unroll.evaluation.reports._losses"
other = {"kind": "regression", "loss": "log_cosh", "pooling": None, "dropout": 0.0}
print(ModelConfig.model_validate({"inputs": {}, "core": CORE, "heads": {"y": other}}).heads["y"].loss.unit)
"""


def blocks() -> dict[str, str]:
    """The files of the page by their paths; the calls of the checks as `check`, `check_loss`, `check_head`."""
    text = (REPOSITORY / "docs" / "extend.md").read_text(encoding="utf-8")
    found = dict(re.findall(r"^`([\w/.]+)`:\n\n```\w+\n(.*?)^```", text, re.M | re.S))
    for name, check in (("check", "check_cell"), ("check_loss",) * 2, ("check_head",) * 2):
        (found[name],) = re.findall(rf"^```python\n(from unroll\.testing import {check}\n.*?)^```", text, re.M | re.S)
    return found


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def use(folder: Path, path: list[Path], before: str = "") -> str:
    """What a process prints that uses the cell with these folders in front of its path."""
    code, output = forked(before + USE, folder / "check", folder / "conf/model/mgu.yaml", cwd=folder, path=path)
    assert code == 0, output
    return output.strip()


def test_a_cell_as_files_of_ours(tmp_path: Path) -> None:
    write(tmp_path, blocks())
    # the new files beside ours, without writing into the repository
    beside = f"""
import unroll.config.cells, unroll.models.cells
unroll.config.cells.__path__.append({str(tmp_path / "src/unroll/config/cells")!r})
unroll.models.cells.__path__.append({str(tmp_path / "src/unroll/models/cells")!r})
"""
    assert use(tmp_path, [REPOSITORY / "src"], beside) == "unroll.models.cells.mgu"


def test_a_cell_as_a_package(tmp_path: Path) -> None:
    files = blocks()
    files["unroll_mgu/cell.py"] = files["src/unroll/models/cells/mgu.py"]
    entry = re.search(r"mgu = \"(.*)\"", files["pyproject.toml"])
    assert entry is not None
    files["unroll_mgu-1.0.dist-info/METADATA"] = "Metadata-Version: 2.1\nName: unroll-mgu\nVersion: 1.0\n"
    files["unroll_mgu-1.0.dist-info/entry_points.txt"] = f"[unroll.cells]\nmgu = {entry[1]}\n"
    write(tmp_path, files)
    assert use(tmp_path, [tmp_path, REPOSITORY / "src"]) == "unroll_mgu.cell"


def test_a_loss_and_a_head_as_files_of_ours(tmp_path: Path) -> None:
    write(tmp_path, blocks())
    beside = "\n".join(f"""
import unroll.{room}.{things}
unroll.{room}.{things}.__path__.append({str(tmp_path / "src/unroll" / room / things)!r})
""" for room in ("config", "models") for things in ("losses", "heads"))
    use_head(tmp_path, beside)


def use_head(folder: Path, before: str = "") -> None:
    done = forked(f"{before}\nCORE = {core_of('gru')!r}\n{HEADS_USE}", folder, cwd=folder, path=[folder, REPOSITORY / "src"])
    assert done == (0, "log cosh of errors in units of the target's scale\n"), done[1]


def test_a_loss_and_a_head_as_a_package(tmp_path: Path) -> None:
    files = blocks()
    for things, kind in (("losses", "log_cosh"), ("heads", "counts")):
        settings, code = (files.pop(f"src/unroll/{room}/{things}/{kind}.py") for room in ("config", "models"))
        place = f"    implementation: ClassVar[str] = \"unroll_extra.{kind}_code\"\n    kind: Literal"
        files[f"unroll_extra/{kind}.py"] = settings.replace("    kind: Literal", place)
        files[f"unroll_extra/{kind}_code.py"] = code.replace(f"unroll.config.{things}.{kind}", f"unroll_extra.{kind}")
    files["unroll_extra-1.0.dist-info/METADATA"] = "Metadata-Version: 2.1\nName: unroll-extra\nVersion: 1.0\n"
    files["unroll_extra-1.0.dist-info/entry_points.txt"] = (
        "[unroll.losses]\nlog_cosh = unroll_extra.log_cosh\n[unroll.heads]\ncounts = unroll_extra.counts\n")
    write(tmp_path, files)
    use_head(tmp_path)


@pytest.mark.parametrize("name", [
    *(f"src/unroll/{room}/cells/mgu.py" for room in ("config", "models")),
    *(f"src/unroll/{room}/losses/log_cosh.py" for room in ("config", "models")),
    *(f"src/unroll/{room}/heads/counts.py" for room in ("config", "models")),
])
def test_fifteen_lines(name: str) -> None:
    """No more than that with code in them, imports and strings apart."""
    lines = [line for line in blocks()[name].splitlines() if line.strip()]
    assert len([line for line in lines if not line.startswith(("import", "from")) and '"""' not in line]) <= 15


@pytest.fixture
def mgu(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The page's cell among ours."""
    folder = tmp_path_factory.mktemp("mgu")
    write(folder, blocks())
    for package in ("config", "models"):
        module = import_module(f"unroll.{package}.cells")
        monkeypatch.setattr(module, "__path__", [*module.__path__, str(folder / f"src/unroll/{package}/cells")])
    monkeypatch.delitem(CELLS.__dict__, "own", raising=False)
    yield
    CELLS.__dict__.pop("own", None)
    for package in ("config", "models"):
        sys.modules.pop(f"unroll.{package}.cells.mgu", None)


def test_a_new_cell_trains_is_measured_and_writes(workspace: Workspace, mgu: None, capsys: pytest.CaptureFixture[str]) -> None:
    """Without an ONNX step of its own: PyTorch writes its texts, the same through every door."""
    config = tiny()
    core = CELLS.settings_of("mgu")(kind="mgu", hidden_size=12, num_layers=2, dropout=0.1)
    run(workspace, config.model_copy(update={"model": config.model.model_copy(update={"core": core})}))
    assert not (workspace.model / STEP).exists() and (workspace.metrics / "test.json").exists()
    model = unroll.load(workspace.model)
    assert model.model.config.core == core
    (text,) = model.generate(["The "], seed=3, length=30, temperature=0.8)
    cli.main(["sample", "--model", str(workspace.model), "The ", "--seed", "3", "--length", "30",
              "--temperature", "0.8"])
    assert text.removeprefix("The ") in capsys.readouterr().out
    with refused("unsupported", "--model"):
        export(str(workspace.model), workspace.root / "exported")
