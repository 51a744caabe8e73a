"""Columns that would be numbers or times but for a few stray cells."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.base.errors import Code
from unroll.readers.common.columns import NUMBER
from unroll.readers.common.forms import forms_of
from unroll.readers.common.times import ISO, stamps, zoned

MOST, LEAST = 0.9, 10       # share of cells that show what a column is meant to be, and how many cells it needs
FEW = 2                     # different stray cells among numbers at most: codes, some with a letter, have more
SAMPLE = 1000
LONGEST_TIME = 40           # characters
# 1,234,567.8 with one separator throughout; $5 and 5 %
GROUPED = r"\d{1,3}(?P<mark>[.,'’\u00a0\u202f ])\d{3}(?:(?P=mark)\d{3})*(?:(?!(?P=mark))[.,]\d+)?"
ADORNED = re.compile(rf"[+-]?{GROUPED}|[+-]?[€$£¥]\s?[+-]?\d[\d.,]*|[+-]?\d[\d.,]*\s?[%‰€$£¥]")

Test = Callable[[Sequence[str]], NDArray[np.bool_]]


def stray_cell(cells: NDArray[Any], present: NDArray[np.int64], decimal: str) -> tuple[int, Code, str] | None:
    """The row of the first cell that keeps a column from being numbers or times, and the error's code and text.

    `present` are the rows that are not empty. None where the column is text anyway.
    """
    if len(present) < LEAST:
        return None
    texts = [str(cells[row]).strip() for row in present]
    for test, few, code, reason in _meanings(texts, decimal):
        if test(texts[:: 1 + len(texts) // SAMPLE]).mean() < MOST - 0.1:        # a sample rules most out
            continue
        wrong = np.flatnonzero(~test(texts))
        if 0 < len(wrong) <= (1 - MOST) * len(texts) and len({texts[row] for row in wrong}) <= few:
            return int(present[wrong[0]]), code, reason
    other = _other_times(texts)
    if other is not None:
        return int(present[other[0]]), "bad-time", other[1]
    plain = _are_numbers(decimal)(texts)
    like = plain | np.array([ADORNED.fullmatch(text) is not None for text in texts])
    if like.mean() >= MOST and (like & ~plain).any():
        first = int(present[np.argmax(like & ~plain)])
        return first, "bad-number", "has thousands separators or a unit, which are not read"
    return None


def _meanings(texts: Sequence[str], decimal: str) -> Iterator[tuple[Test, int, Code, str]]:
    """What the cells may be meant to be: a test, how many different ones may fail it, and their error."""
    yield _are_numbers(decimal), FEW, "bad-number", "is no number, as nearly all others are"
    if np.mean([len(text) for text in texts]) <= LONGEST_TIME:
        for form in dict.fromkeys((None, *(form for text in (texts[0], texts[-1]) for form in forms_of(text)))):
            yield _are_times(form), len(texts), "bad-time", f"is not written as {form or ISO}, as nearly all others are"


def _other_times(texts: Sequence[str]) -> tuple[int, str] | None:
    """The first time that is not written as the first of them, where all are times in one of two ways."""
    ways = [(_are_times(form)(texts), form) for form in (None, *forms_of(texts[0])) if _are_times(form)(texts[:1])[0]]
    if not ways:
        return None
    first, form = max(ways, key=lambda way: int(way[0].sum()))
    if first.all():     # some with an offset from UTC, some without
        offsets = zoned(texts)
        row = int(np.argmax(offsets != offsets[0]))
        return (row, f"has {'no' if offsets[0] else 'an'} offset from UTC, unlike {texts[0]!r}") if row else None
    row = int(np.argmin(first))
    if any((first | _are_times(other)(texts)).all() for other in (None, *forms_of(texts[row]))):
        return row, f"is not written as {form or ISO}, as {texts[0]!r} is"
    return None


def _are_numbers(decimal: str) -> Test:
    def test(texts: Sequence[str]) -> NDArray[np.bool_]:
        if decimal == ",":      # then a point is no decimal mark
            texts = [text.replace(".", "?").replace(",", ".") for text in texts]
        return np.array([NUMBER.fullmatch(text) is not None for text in texts])
    return test


def _are_times(form: str | None) -> Test:
    return lambda texts: np.asarray(stamps(texts, form).notna())
