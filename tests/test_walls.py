"""The rooms of docs/architecture.md and the walls between them."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import grimp
import networkx

from tests.conftest import REPOSITORY


def test_no_room_reaches_through_a_wall() -> None:
    tool = Path(sys.executable).parent / "lint-imports"
    environment = {**os.environ, "PYTHONPATH": "src"}
    done = subprocess.run([tool], cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_room_has_its_floor() -> None:
    """A new room must be named among the layers, or it could import anything."""
    contracts = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    floors = {room.strip() for contract in contracts for floor in contract.get("layers", ()) for room in floor.split("|")}
    package = REPOSITORY / "src" / "unroll"
    rooms = {path.stem for path in package.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert floors == {f"unroll.{room}" for room in rooms - {"__init__", "__main__"}}


def test_no_files_import_each_other_in_a_circle() -> None:
    graph = grimp.build_graph("unroll", cache_dir=None)
    imports = networkx.DiGraph((module, imported) for module in graph.modules
                               for imported in graph.find_modules_directly_imported_by(module))
    assert [circle for circle in networkx.strongly_connected_components(imports) if len(circle) > 1] == []


def test_files_are_short() -> None:
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in REPOSITORY.glob("src/**/*.py")}
    assert {path for path, count in lines.items() if count > 260} == set()
    assert sum(count < 150 for count in lines.values()) > 0.9 * len(lines)
