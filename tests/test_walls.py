"""The rooms of docs/architecture.md and the walls between them."""

import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import REPOSITORY


def test_no_room_reaches_through_a_wall() -> None:
    tool = Path(sys.executable).parent / "lint-imports"
    environment = {**os.environ, "PYTHONPATH": "src"}
    done = subprocess.run([tool], cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_module_is_behind_the_walls() -> None:
    """A new file at the top of the package must be named in the contracts, or it could import anything."""
    settings = (REPOSITORY / "pyproject.toml").read_text()
    for module in (REPOSITORY / "src" / "unroll").glob("*.py"):
        if module.stem not in ("__init__", "__main__"):
            assert f'"unroll.{module.stem}"' in settings, module
