"""Numbers that are not there: how the network is to read them, and marks that stand for them."""

import re
from collections.abc import Sequence

import numpy as np

from unroll.commands.init.columns import Column
from unroll.commands.init.draft import Options, report
from unroll.commands.init.questions import Undecided
from unroll.commands.init.roles import Where

MARK = re.compile(r"-?(9{2,}|9{3,}\.9+|9{2,}0*)|-1e\+?\d\d")      # 99, -999, -9999, 999.9, 99900
WORDS = {
    "mask": "the last value is read, and whether and how long ago it was seen", "forward": "the last value is read",
    "mean": "the mean of training is read", "interpolate": "a line between the neighbours is read", "refuse": "refused",
}


def find_missing(read: Sequence[Column], options: Options, rows: bool = False) -> str:
    """`data.missing`, for these columns or arrays of inputs; reported where values are missing.

    `rows`: whether there are also steps without any.
    """
    holes = [column for column in read if column.kind == "number" and column.missing]
    way = options.missing or ("mask" if holes or rows else "refuse")
    if holes:
        shown = ", ".join(f"{column.name!r} ({column.missing:.1%})" for column in holes[:8])
        more = f" and {len(holes) - 8} more" if len(holes) > 8 else ""
        report("missing", f"{shown}{more}: {WORDS[way]}", f"--missing {', '.join(WORDS)}")
    return way


def check_marks(columns: Sequence[Column], options: Options, where: Where) -> None:
    """Raises `UserError` for a number that is likely to stand for a missing one, unless the options say what it is."""
    for column in columns if not options.na_values else ():
        mark = likely_mark(column)
        if mark is None or options.kind_of(column.name) == "none":
            continue
        count = int((column.values == mark).sum())
        others = column.present[column.present != mark]
        raise Undecided(where(int(np.flatnonzero(column.values == mark)[0]), column.name),
                        f"{mark:g}, in {count:,} row{'s' * (count > 1)}, is far from all others, {others.min():g} to "
                        f"{others.max():g}. Say whether it stands for a missing value, --na-value {mark:g}, or is a "
                        "number, --na-value none.", [("--na-value", f"{mark:.10g}"), ("--na-value", "none")])


def likely_mark(column: Column) -> float | None:
    """The least or the greatest number, if it is written as such marks are and far from all others."""
    if column.kind != "number" or column.distinct < 3:
        return None
    values = np.unique(column.present)
    for mark, others in ((values[0], values[1:]), (values[-1], values[:-1])):
        distance = max(others[0] - mark, mark - others[-1])
        if MARK.fullmatch(f"{mark:.10g}") and distance > max(others[-1] - others[0], abs(mark) / 4):
            return float(mark)
    return None
