"""What stages depend on besides their parameters, as `dvc.yaml` lists it: code, libraries, extensions, raw data.

DVC, the key of an interrupted training and the state of a job all read this one list.
"""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

from unroll.base.errors import UserError
from unroll.base.files import sha256, to_json
from unroll.base.workspace import Workspace

RAW = "data/raw"


def digest(workspace: Workspace, stages: Iterable[str]) -> str:
    """SHA-256 that changes when DVC would rerun one of the stages for another reason than its parameters.

    What other stages write is left out. Raises `UserError` when the project has no `dvc.yaml`.
    """
    known = _stages(workspace.project)
    outputs = {name for stage in known.values() for name in _outputs(stage)}
    deps = sorted({dep for stage in stages for dep in known[stage]["deps"]} - outputs)
    return hashlib.sha256(to_json({
        f"{dep}/{path.relative_to(place).as_posix()}": _stamp(path, dep)
        for dep in deps for place in [_place(workspace, dep)] for path in _files(place)
    }).encode()).hexdigest()


def _stages(project: Path) -> dict[str, Any]:
    path = project / "dvc.yaml"
    try:
        stages: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))["stages"]
    except FileNotFoundError:
        raise UserError("missing-file", path, "no such file. Run in the folder of the project.") from None
    return stages


def _outputs(stage: dict[str, Any]) -> Iterator[str]:
    for section in ("outs", "metrics", "plots"):
        for output in stage.get(section, ()):
            yield from output if isinstance(output, dict) else [output]


def _place(workspace: Workspace, dep: str) -> Path:
    """A job has a lock of its own, of the extensions that its own configuration names."""
    return workspace.extensions if dep == workspace.extensions.name else workspace.project / dep


def _files(place: Path) -> Iterator[Path]:
    if place.is_file():
        yield place
    for path in sorted(place.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts and path.name != ".gitignore":
            yield path


def _stamp(path: Path, dep: str) -> object:
    """Raw data may be large: size and time of the last change, which DVC too compares first."""
    if dep == RAW:
        status = path.stat()
        return [status.st_size, status.st_mtime_ns]
    return sha256(path)
