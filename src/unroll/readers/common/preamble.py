"""What a CSV file has beside its rows: comments, lines before the header, a row of units below it."""

import re
from collections import Counter
from collections.abc import Sequence

from unroll.readers.common.dialect import NUMBER, ROWS, find_delimiter, rows_of
from unroll.readers.common.marks import MISSING

Rows = list[list[str]]

COMMENTS = ("#", "%", "//")
UNIT = re.compile(r"[kMGTmcdµn]?(m|s|g|W|Wh|V|A|Hz|Pa|K|J|N|l|L|bar|h|ppm|C|F|degC|m2|m3)|.*[°²³/%].*|\[.*\]|\(.*\)")


def find_comment(lines: Sequence[str]) -> tuple[str | None, str | None]:
    """What lines that are no rows begin with, and why.

    Lines that have as many cells as the rows may be rows, or a header.
    """
    full = [line for line in lines if line.strip()]
    for mark in COMMENTS:
        begun = [line for line in full if line.startswith(mark)]
        others = [line for line in full if not line.startswith(mark)][:ROWS]
        if not begun or not others:
            continue
        delimiter, _ = find_delimiter(others)
        (width, _), = Counter(len(row) for row in rows_of(others, delimiter)).most_common(1)
        like_rows = sum(len(row) == width for row in rows_of(begun, delimiter))
        if like_rows < len(begun) or (width == 1 and full[0].startswith(f"{mark} ")):
            return mark, f"lines that begin with {mark!r}, {len(begun)} among the first {len(full)}"
    return None, None


def find_skip(rows: Rows, places: Sequence[int]) -> tuple[int, str | None]:
    """Lines before the header, and why: rows of fewer cells, before one of words that has as many as most have.

    `places` are the lines of the rows, from 0 on.
    """
    widths = Counter(len(row) for row in rows[:ROWS] if len(row) > 1)
    width = widths.most_common(1)[0][0] if widths else 0
    above = next((at for at, row in enumerate(rows) if not _is_above(row, width)), 0)
    table = rows[above : above + ROWS]
    if not above or len(table) < 2 or len(table[0]) != width or _numbers(table[0]) or sum(
            len(row) == width for row in table) < 0.9 * len(table):
        return 0, None
    first = " ".join(cell for cell in rows[0] if cell)
    return places[above], f"{places[above]} lines before the header, such as {first[:40]!r}"


def _is_above(row: list[str], width: int) -> bool:
    """Whether a row has so few cells that it is none of the table; one less may be a header without its corner."""
    filled = max((at + 1 for at, cell in enumerate(row) if cell.strip()), default=0)
    return not _numbers(row[:1]) and (filled < width - 1 or (len(row) == 1 and width == 2))


def find_units(rows: Rows) -> tuple[bool, str | None]:
    """Whether the row below the header has no value but words where all others have numbers, and why."""
    if len(rows) < 4 or _numbers(rows[1]) or any(len(row) != len(rows[0]) for row in rows[:4]):
        return False, None
    words = []
    for at, cell in enumerate(rows[1]):
        column = [row[at].strip() for row in rows[2 : ROWS + 2] if at < len(row)]
        below = [other for other in column if other.lower() not in MISSING]
        if cell.strip() and (cell.strip() in below or any(_shape(cell) == _shape(other) for other in below[:2])):
            return False, None
        if below and len(_numbers(below)) == len(below) and cell.strip().lower() not in MISSING:
            words.append(cell.strip())
    if len(words) > 1 or (words and UNIT.fullmatch(words[0])):
        return True, f"the row below the header: {', '.join(words[:4])}"
    return False, None


def _numbers(cells: Sequence[str]) -> list[str]:
    return [cell for cell in cells if NUMBER.fullmatch(cell.strip())]


def _shape(cell: str) -> str | None:
    """How a cell with digits is written, such as a time."""
    return re.sub(r"\d", "0", cell.strip()) if re.search(r"\d", cell) else None
