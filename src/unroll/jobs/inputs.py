"""What stages run on besides their parameters: the code, the libraries, the raw data, as `dvc.yaml` lists them."""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

from unroll.base.errors import UserError
from unroll.base.files import sha256, to_json

RAW = "data/raw"


def digest(project: Path, stages: Iterable[str]) -> str:
    """Changes when DVC would run one of the stages again for something else than its parameters."""
    known: dict[str, Any] = _stages(project)
    outputs = {name for stage in known.values() for name in _outputs(stage)}
    wanted = sorted({dep for stage in stages for dep in known[stage]["deps"]} - outputs)
    files = {file.relative_to(project).as_posix(): _stamp(project, file) for each in wanted
             for file in _files(project / each)}
    return hashlib.sha256(to_json(files).encode()).hexdigest()


def _stages(project: Path) -> Any:
    try:
        return yaml.safe_load((project / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    except FileNotFoundError:
        raise UserError(f"{project / 'dvc.yaml'}: no such file. Run in the folder of the project.") from None


def _outputs(stage: dict[str, Any]) -> Iterator[str]:
    for kind in ("outs", "metrics", "plots"):
        for each in stage.get(kind, ()):
            yield from each if isinstance(each, dict) else [each]


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    for file in sorted(path.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts and file.name != ".gitignore":
            yield file


def _stamp(project: Path, file: Path) -> object:
    """Of data, which may be large, size and time of the last change, as DVC itself looks at it first."""
    if (project / RAW) in file.parents:
        status = file.stat()
        return [status.st_size, status.st_mtime_ns]
    return sha256(file)
