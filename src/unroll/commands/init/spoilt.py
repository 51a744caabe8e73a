"""Columns that a few cells make text of."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.commands.init.times import called, dated, stamps
from unroll.sources.columns import NUMBER

MOST, LEAST = 0.9, 10       # share of cells that say what a column is meant to be, of so many
FEW = 2                     # different ones that are no numbers; codes, some of which have a letter, have more
SAMPLE = 1000
LONGEST_TIME = 40           # characters
# 1,234,567.8 with one separator throughout; $5 and 5 %
GROUPED = r"\d{1,3}(?P<mark>[.,'’\u00a0\u202f ])\d{3}(?:(?P=mark)\d{3})*(?:(?!(?P=mark))[.,]\d+)?"
ADORNED = re.compile(rf"[+-]?{GROUPED}|[+-]?[€$£¥]\s?[+-]?\d[\d.,]*|[+-]?\d[\d.,]*\s?[%‰€$£¥]")

Test = Callable[[Sequence[str]], NDArray[np.bool_]]


def spoilt(cells: NDArray[Any], present: NDArray[np.int64], decimal: str) -> tuple[int, str] | None:
    """Of a text that would be numbers or times but for few cells, the first such cell and what is wrong with it."""
    if len(present) < LEAST:
        return None
    shown = [str(cells[each]).strip() for each in present]
    for test, few, reason in _kinds(shown, decimal):
        if test(shown[:: 1 + len(shown) // SAMPLE]).mean() < MOST - 0.1:        # which is soon seen
            continue
        wrong = np.flatnonzero(~test(shown))
        if 0 < len(wrong) <= (1 - MOST) * len(shown) and len({shown[each] for each in wrong}) <= few:
            return int(present[wrong[0]]), reason
    plain = _numbers(decimal)(shown)
    like = plain | np.array([ADORNED.fullmatch(each) is not None for each in shown])
    if like.mean() >= MOST and (like & ~plain).any():
        return int(present[np.argmax(like & ~plain)]), "has thousands separators or a unit, which are not read"
    return None


def _kinds(shown: Sequence[str], decimal: str) -> Iterator[tuple[Test, int, str]]:
    """What the cells may be meant to be: a test, how many different ones may fail it, and what those are then."""
    yield _numbers(decimal), FEW, "is no number, as nearly all others are"
    if np.mean([len(each) for each in shown]) <= LONGEST_TIME:
        for form in dict.fromkeys((None, *(form for each in (shown[0], shown[-1]) for form in dated(each)))):
            yield _times(form), len(shown), f"is not written as {called(form)}, as nearly all others are"


def _numbers(decimal: str) -> Test:
    def test(shown: Sequence[str]) -> NDArray[np.bool_]:
        if decimal == ",":      # then a point is no decimal mark
            shown = [each.replace(".", "?").replace(",", ".") for each in shown]
        return np.array([NUMBER.fullmatch(each) is not None for each in shown])
    return test


def _times(form: str | None) -> Test:
    return lambda shown: np.asarray(stamps(np.array(shown, dtype=object), form).notna())
