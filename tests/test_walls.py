"""The rooms of docs/architecture.md and the walls between them."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

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
