"""How the rows of a CSV file are written: delimiter, header, decimal mark. Each answer comes with its reason."""

import csv
import re
from collections import Counter
from itertools import islice
from pathlib import Path

from unroll.readers.text import blocks

ROWS = 200          # that are looked at
SAMPLE = 1 << 20    # characters of a cell at most
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
COMMA = re.compile(r"[+-]?\d+,\d+([eE][+-]?\d+)?")
NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?")


def first_lines(file: Path, encoding: str) -> list[str]:
    """The file's first lines; a cell may hold line ends, so these may be fewer rows."""
    block = next(blocks([file], encoding), "")
    *lines, rest = block.split("\n")
    cut = len(block) > SAMPLE // 4      # then the last line may be half of one
    return [line + "\n" for line in (lines if cut and lines else [*lines, rest]) if line.strip()]


def rows_of(lines: list[str], delimiter: str) -> list[list[str]]:
    csv.field_size_limit(SAMPLE)
    return [row for row in csv.reader(lines, delimiter=delimiter) if row]


def find_delimiter(lines: list[str]) -> tuple[str, str]:
    """The one that gives the most rows the same number of cells, and more than one."""
    csv.field_size_limit(SAMPLE)
    agreeing = {}
    for mark in DELIMITERS:
        try:
            widths = Counter(len(row) for row in islice(csv.reader(lines, delimiter=mark), ROWS))
        except csv.Error:
            continue
        (width, count), = widths.most_common(1)
        if width > 1 and count >= 0.9 * widths.total():
            agreeing[mark] = count / widths.total()
    if not agreeing:
        return ",", "none found: one column"
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
