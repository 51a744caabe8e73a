"""How the rows of a CSV file are written: delimiter, header, decimal mark. Each answer comes with its reason."""

import csv
import re
from collections import Counter
from itertools import islice
from pathlib import Path

from unroll.readers.common.marks import MISSING
from unroll.readers.text import blocks

ROWS = 200          # that are looked at
ABOVE = 40          # lines before the header, at most
SAMPLE = 1 << 20    # characters of a cell at most
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
# between thousands → the decimal marks that may stand beside it
THOUSANDS = {",": ".", ".": ",", "'": ".,", "\u2019": ".,", "\u00a0": ".,", "\u202f": ".,"}
COMMA = re.compile(r"[+-]?\d+,\d+([eE][+-]?\d+)?")
NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?")


def first_lines(file: Path, encoding: str) -> list[str]:
    """The file's first lines, also empty ones; a cell may hold line ends, so these may be fewer rows."""
    block = next(blocks([file], encoding), "")
    *lines, rest = block.split("\n")
    cut = len(block) > SAMPLE // 4      # then the last line may be half of one
    return [line + "\n" for line in (lines if cut and lines else [*lines, rest])]


def rows_of(lines: list[str], delimiter: str) -> list[list[str]]:
    csv.field_size_limit(SAMPLE)
    return [row for row in csv.reader(lines, delimiter=delimiter) if row]


def numbered_rows(lines: list[str], delimiter: str) -> tuple[list[int], list[list[str]]]:
    """The line on which each row starts, from 0 on, and the rows."""
    csv.field_size_limit(SAMPLE)
    reader = csv.reader(lines, delimiter=delimiter)
    places: list[int] = []
    rows: list[list[str]] = []
    while True:
        place = reader.line_num
        row = next(reader, None)
        if row is None:
            return places, rows
        if row:
            places.append(place)
            rows.append(row)


def find_delimiter(lines: list[str]) -> tuple[str, str]:
    """The one that gives the most rows the same number of cells, and more than one, at least below the first lines."""
    for above in range(max(1, min(ABOVE, len(lines) - 4))):
        found = _agreeing(lines[above:], 1.0 if above else 0.9)
        if found is not None:
            return found
    return ",", "none found: one column"


def _agreeing(lines: list[str], share: float) -> tuple[str, str] | None:
    csv.field_size_limit(SAMPLE)
    agreeing = {}
    for mark in DELIMITERS:
        try:
            widths = Counter(len(row) for row in islice(csv.reader(lines, delimiter=mark), ROWS))
        except csv.Error:
            continue
        (width, count), = widths.most_common(1)
        if width > 1 and count >= share * widths.total():
            agreeing[mark] = count / widths.total()
    if not agreeing:
        return None
    # a comma is the likeliest to stand within cells, too
    best = max(agreeing, key=lambda mark: (agreeing[mark], "|,\t;".find(mark) if mark != "," else -1))
    others = "".join(f"; a {DELIMITERS[mark]} would fit as well" for mark in agreeing if mark != best)
    return best, f"{DELIMITERS[best]}{others}"


def find_header(rows: list[list[str]]) -> tuple[bool, str]:
    """Whether the first row names the columns."""
    first, rest = rows[0], rows[1 : ROWS + 1]
    if any(NUMBER.fullmatch(cell.strip()) for cell in first):
        return False, "none: there are numbers in the first row"
    columns = [[row[at].strip() for row in rest if at < len(row)] for at in range(len(first))]
    if any(any(column) and all(NUMBER.fullmatch(cell) for cell in column if cell) for column in columns):
        return True, "the first row: words above numbers"
    if any(cell.strip() and cell.strip() in column for cell, column in zip(first, columns, strict=True)):
        return False, "none: cells of the first row occur below it, too"
    return True, "the first row: its cells occur nowhere below"


def find_decimal(rows: list[list[str]]) -> tuple[str, str | None]:
    """A comma, where a column's numbers have commas and none has a point; no reason for a point."""
    for at in range(max(map(len, rows), default=0)):
        cells = [row[at].strip() for row in rows[:ROWS] if at < len(row) and row[at].strip()]
        commas = [cell for cell in cells if COMMA.fullmatch(cell)]
        if commas and all(NUMBER.fullmatch(cell) and "." not in cell for cell in cells):
            return ",", f"a comma, as in {commas[0]!r}"
    return ".", None


def find_thousands(rows: list[list[str]], delimiter: str, decimal: str | None) -> tuple[str | None, str | None]:
    """What stands between the thousands of numbers, where nothing else can be meant, and why.

    1,234 may be 1.234 with a decimal comma, unless the comma is the delimiter, too, and the cell is quoted.
    """
    for at in range(max(map(len, rows), default=0)):
        cells = [row[at].strip() for row in rows[:ROWS] if at < len(row) and row[at].strip().lower() not in MISSING]
        for mark, other in THOUSANDS.items():
            grouped = [cell for cell in cells if grouped_by(mark).fullmatch(cell)]
            sure = mark not in ",." or any(cell.count(mark) > 1 or other in cell for cell in grouped) or (
                mark == delimiter and not any(cell.lstrip("+-").startswith("0") for cell in grouped))
            small = re.compile(rf"[+-]?\d{{1,3}}([{other}]\d*)?")
            if grouped and sure and mark != decimal and all(
                    grouped_by(mark).fullmatch(cell) or small.fullmatch(cell) for cell in cells):
                return mark, f"{mark!r} between thousands, as in {grouped[0]!r}"
    return None, None


def without_thousands(rows: list[list[str]], mark: str | None) -> list[list[str]]:
    if not mark:
        return rows
    pattern = grouped_by(mark)
    return [[cell.replace(mark, "") if pattern.fullmatch(cell.strip()) else cell for cell in row] for row in rows]


def grouped_by(mark: str) -> re.Pattern[str]:
    """Numbers of a thousand and more with this mark between their digits."""
    between, other = re.escape(mark), re.escape(THOUSANDS.get(mark, ".,"))
    return re.compile(rf"[+-]?\d{{1,3}}({between}\d{{3}})+([{other}]\d*)?")
