"""Columns that a few cells make text of."""

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.init.times import dated, stamps
from unroll.sources.columns import NUMBER

MOST, LEAST = 0.9, 10       # share of cells that say what a column is meant to be, of so many
LONGEST_TIME = 40           # characters
ADORNED = re.compile(r"[€$£¥]?\s?[+-]?[€$£¥]?\d[\d.,'’\u00a0\u202f ]*(e[+-]?\d+)?\s?[%‰€$£¥]?", re.IGNORECASE)


def spoilt(cells: NDArray[Any], present: NDArray[np.int64], decimal: str) -> tuple[int, str] | None:
    """Of a text that would be numbers or times but for few cells, the first such cell and what is wrong with it."""
    if len(present) < LEAST:
        return None
    shown = [str(cells[each]).strip() for each in present]
    plain = np.array([NUMBER.fullmatch(each.replace(",", ".") if decimal == "," and "." not in each else each)
                      is not None for each in shown])
    like = plain | np.array([ADORNED.fullmatch(each) is not None for each in shown])
    if like.mean() >= MOST:
        at = int(np.argmin(plain))
        return int(present[at]), ("has thousands separators or a unit, which are not read" if like[at] else
                                  "is no number, as nearly all others are")
    if np.mean([len(each) for each in shown]) > LONGEST_TIME:
        return None
    for form in dict.fromkeys((None, *(form for each in (shown[0], shown[-1]) for form in dated(each)))):
        fitting = np.asarray(stamps(np.array(shown, dtype=object), form).notna())
        if MOST <= fitting.mean() < 1:
            at = int(np.argmin(fitting))
            return int(present[at]), f"is not written as {form or 'ISO 8601'}, as nearly all others are"
    return None
