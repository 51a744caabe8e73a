"""The docstrings of an installed package, read from its source without importing it."""

import hashlib
import re
from collections.abc import Iterator

from unroll.config.sources.docs import Settings
from unroll.data.source import Source
from unroll.sources.common.access import Access
from unroll.sources.common.packages import docstrings, find_package, order
from unroll.sources.common.text import TextSource


def open_source(settings: Settings, access: Access) -> tuple[Source, str, str]:
    (field,) = settings.inputs
    docs = Docs(settings.package, settings.version, settings.validation, settings.test, settings.seed)
    return TextSource(field, docs, "stream"), f"docstrings of {settings.package} {settings.version}", docs.licence


class Docs:
    """Docstrings split by source file, so that no function is described on both sides of the split.

    Files are ordered by a hash of their name and fill test, validation and training in turn. A paragraph that
    occurs in several places is kept only in the first, training first: nothing in the test split was read in
    training.
    """

    def __init__(self, package: str, version: str, validation: float, test: float, seed: int) -> None:
        found = find_package(package, version)
        folder, self.licence = found.folder, found.licence
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
