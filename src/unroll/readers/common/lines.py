"""Lines of a file of text in UTF-8, compressed or not."""

from collections.abc import Iterator
from pathlib import Path

from unroll.readers.text import blocks


def lines_of(file: Path) -> Iterator[tuple[int, str]]:
    """Each line without its end, after its number, from 1 on, as an editor counts."""
    rest, done = "", 0
    for block in blocks([file], "utf-8"):
        *texts, rest = (rest + block).split("\n")
        yield from enumerate(texts, done + 1)
        done += len(texts)
    if rest:
        yield done + 1, rest
