"""The command line starts quickly because it imports late."""

import subprocess
import sys
from pathlib import Path

import pytest

import unroll
from tests.conftest import run, tiny
from unroll.base.workspace import Workspace
from unroll.commands.cli import main


def modules_after(code: str, cwd: Path) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint(*sys.modules)"],
        cwd=cwd, env={"PYTHONPATH": str(Path(unroll.__file__).parent.parent), "PATH": ""},
        capture_output=True, text=True, check=True,
    )
    return set(done.stdout.splitlines()[-1].split())


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    loaded = modules_after("from unroll.commands.arguments import parser; parser([]).format_help()", tmp_path)
    assert not loaded & {"torch", "lightning", "mlflow", "hydra", "numpy", "pydantic", "yaml"}


def test_prepare_does_not_import_torch(workspace: Workspace) -> None:
    run(workspace, tiny(), "prepare")
    loaded = modules_after("from unroll.commands.cli import main; main(['prepare'])", workspace.root)
    assert "unroll.data.store" in loaded
    assert not loaded & {"torch", "lightning", "mlflow", "hydra"}


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert stop.value.code == 0 and unroll.__version__ in capsys.readouterr().out


def test_what_a_user_can_mend_is_one_line_and_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stop:
        main(["compose"])
    assert stop.value.code == 2
    line = capsys.readouterr().err
    assert line.startswith("unroll: conf: ") and line.count("\n") == 1 and line.endswith("[missing-file]\n")


@pytest.mark.parametrize("name", ["a" * 300, "README.md/out"])
def test_a_name_that_is_none_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "README.md").touch()
    with pytest.raises(SystemExit) as stop:
        main(["predict", name, "-o", f"{name}.csv"])
    assert stop.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith("unroll: ") and said.count("\n") == 1
