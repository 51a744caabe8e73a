"""A project in which commands run."""

import shutil
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with conf/ and data/raw/, which is where commands run; what a user brings lies beside it, in given/."""
    folder = tmp_path / "project"
    (folder / "data" / "raw").mkdir(parents=True)
    shutil.copytree(REPOSITORY / "conf", folder / "conf")
    (tmp_path / "given").mkdir()
    monkeypatch.chdir(folder)
    return folder
