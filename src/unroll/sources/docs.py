"""The docstrings of an installed package, read from its source without importing it."""

import ast
import hashlib
import importlib.metadata
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

from unroll.base.errors import UserError


class Docs:
    """Docstrings split by source file, so that no function is described on both sides of the split.

    Files are ordered by a hash of their name and fill test, validation and training in turn. A paragraph that
    stands in several places is kept in the first only, training first: nothing in the test split was read in
    training.
    """

    def __init__(self, package: str, version: str, validation: float, test: float, seed: int) -> None:
        folder, self.licence = locate(package, version)
        files = sorted(folder.rglob("*.py"), key=lambda file: order(seed, file.relative_to(folder)))
        texts = [text for file in files if (text := "".join(docstrings(file)))]
        total = sum(map(len, texts))
        split: dict[str, list[str]] = {"test": [], "validation": [], "train": []}
        for text, position in zip(texts, _starts(texts), strict=True):
            share = position / total
            split["test" if share < test else "validation" if share < test + validation else "train"].append(text)
        seen: set[bytes] = set()
        self._splits = {name: list(_unseen(split[name], seen)) for name in ("train", "validation", "test")}

    def pieces(self, split: str) -> Iterator[str]:
        yield from self._splits[split]


def locate(package: str, version: str) -> tuple[Path, str]:
    try:
        metadata = importlib.metadata.metadata(package)
        spec = importlib.util.find_spec(package)
    except (importlib.metadata.PackageNotFoundError, ValueError):
        metadata, spec = None, None
    if metadata is None or spec is None or not spec.submodule_search_locations:
        raise UserError(f"data.package: {package!r} is not an installed package. Install it, or choose networkx.")
    if metadata["Version"] != version:
        raise UserError(
            f"data.version: {package} {metadata['Version']} is installed where {version} is asked for; another "
            f"version is another text. Install {package}=={version}, or set data.version={metadata['Version']}."
        )
    stated = [metadata[name] for name in ("License-Expression", "License") if name in metadata]
    licence = next((text.splitlines()[0] for text in stated if text), "not stated")
    return Path(spec.submodule_search_locations[0]), licence


def order(seed: int, name: Path) -> bytes:
    return hashlib.sha256(f"{seed}:{name.as_posix()}".encode()).digest()


def docstrings(file: Path) -> Iterator[str]:
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError):       # a template, a file of another Python
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text:
                yield text + "\n\n"


def _starts(texts: list[str]) -> Iterator[int]:
    position = 0
    for text in texts:
        yield position
        position += len(text)


def _unseen(texts: list[str], seen: set[bytes]) -> Iterator[str]:
    for text in texts:
        kept = []
        for paragraph in re.split(r"\n\s*\n", text):
            key = hashlib.sha256(" ".join(paragraph.split()).encode()).digest()
            if paragraph.strip() and key not in seen:
                seen.add(key)
                kept.append(paragraph.strip("\n") + "\n\n")
        if kept:
            yield "".join(kept)
