"""Outputs of two runs: the same bytes, numbers that are nearly the same, or neither."""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load

Hashes = Mapping[str, tuple[str, str | None]]
Numbers = dict[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Output:
    """A file or folder that a stage writes."""

    path: str
    state: str              # identical, equal (within the tolerance), different, missing
    largest: float | None   # relative difference of a number; None where there is nothing to compare
    detail: str             # where the numbers differ, or why there is nothing to compare


def compare(first: Path, second: Path, tolerance: float, hashes: Hashes | None = None) -> list[Output]:
    """Compare outputs below two roots; `hashes` are DVC's, which decide where the first output is not in the cache."""
    if hashes is not None:
        return [_output(path, first, second, tolerance, old == new) for path, (old, new) in sorted(hashes.items())]
    paths = sorted({output.relative_to(root).as_posix() for root in (first, second) for output in _outputs(root)})
    return [_output(path, first, second, tolerance, _files(first / path) == _files(second / path)) for path in paths]


def _outputs(root: Path) -> Iterator[Path]:
    yield root / "data" / "prepared"
    for folder in ("artifacts", "metrics", "plots"):
        yield from (root / folder).iterdir()


def _output(path: str, first: Path, second: Path, tolerance: float, same: bool) -> Output:
    if same:
        return Output(path, "identical", None, "")
    if not (second / path).exists():
        return Output(path, "missing", None, "nothing was written")
    if not (first / path).exists():
        return Output(path, "different", None, "the committed output is in no cache, to compare its numbers")
    old, new = _files(first / path), _files(second / path)
    largest, where = 0.0, ""
    for name in sorted({*old, *new}):
        if old.get(name) == new.get(name):
            continue
        there, here = (_numbers(name, files[name]) if name in files else None for files in (old, new))
        if there is None or here is None or there.keys() != here.keys():
            return Output(path, "different", None, name)
        for number, value in there.items():
            if (off := _off(value, here[number])) > largest:
                largest, where = off, f"{name} {number}".strip()
    state = "equal" if largest <= tolerance else "different"
    return Output(path, state, min(largest, 1e300), f"{where}: {largest:.2g}")


def _files(path: Path) -> dict[str, bytes]:
    """Content of an output's files by their names in it."""
    files = path.rglob("*") if path.is_dir() else [path]
    return {file.relative_to(path.parent).as_posix(): file.read_bytes() for file in files if file.is_file()}


def _numbers(name: str, content: bytes) -> Numbers | None:
    """The numbers in a file by their names, or None where it holds something else."""
    match Path(name).suffix:
        case ".json":
            found = dict(_leaves(json.loads(content)))
        case ".csv":
            rows = list(csv.reader(io.StringIO(content.decode())))
            found = {f"line {line}, {column}": cell for line, row in enumerate(rows[1:], 2)
                     for column, cell in zip(rows[0], row, strict=False)}
        case ".safetensors":
            return {key: np.asarray(value, np.float64) for key, value in load(content).items()}
        case ".npy":
            values = np.load(io.BytesIO(content))
            return {"": values.astype(np.float64)} if values.dtype.kind in "fiu" else None
        case _:
            return None
    try:
        return {key: np.asarray(float(value)) for key, value in found.items()}      # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None


def _leaves(value: object, name: str = "") -> Iterator[tuple[str, object]]:
    if not isinstance(value, dict | list):
        yield name, value
        return
    for key, part in value.items() if isinstance(value, dict) else enumerate(value):
        yield from _leaves(part, f"{name}.{key}".lstrip("."))


def _off(old: NDArray[np.float64], new: NDArray[np.float64]) -> float:
    """Largest difference, relative to the largest of the old numbers; infinite where they are not of one shape."""
    if old.shape != new.shape or not np.array_equal(np.isnan(old), np.isnan(new)):
        return float("inf")
    difference = np.nanmax(np.abs(old - new), initial=0.0)
    return float(difference / max(np.nanmax(np.abs(old), initial=0.0), 1e-300)) if difference else 0.0
