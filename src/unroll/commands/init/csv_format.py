"""How a CSV file is written: encoding, delimiter, decimal mark, header. Everything chosen is said."""

import codecs
import csv
import re
from collections import Counter
from itertools import islice
from pathlib import Path

from unroll.base.errors import UserError
from unroll.commands.init.draft import Choices, Say
from unroll.sources.tabular import CSV, Format
from unroll.sources.text import blocks

ROWS = 200          # that the delimiter, the decimal mark and the header are read off
SAMPLE = 1 << 20    # bytes that an encoding is guessed from
MARKS = (",", ";", "\t", "|")
CALLED = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
COMMA = re.compile(r"[+-]?\d+,\d+([eE][+-]?\d+)?")
NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?")


def find_format(files: list[Path], choices: Choices, say: Say) -> Format:
    """Of the first CSV file among several; Parquet needs none."""
    file = next((each for each in files if each.suffix.lower() in CSV), None)
    if file is None:
        for name in ("delimiter", "decimal", "encoding", "header"):
            if getattr(choices, name) is not None:
                raise UserError(f"--{name}: says nothing of Parquet. Leave it out.")
        return Format(",", ".", "utf-8", header=True)
    encoding = find_encoding(file, choices, say)
    lines = _lines(file, encoding)
    if not lines:
        raise UserError(f"{file}: empty. Give a table with rows.")
    if re.fullmatch(r"sep=.\s*", lines[0].lstrip("\ufeff"), re.IGNORECASE):
        raise UserError(f"{file}, row 1: {lines[0].strip()!r} is meant for Excel alone. Take the row out.")
    delimiter = choices.delimiter or _delimiter(lines, say)
    if len(delimiter) != 1:
        raise UserError(f"--delimiter: {delimiter!r} is not one character. Give ',', ';' or a tab.")
    rows = [row for row in csv.reader(lines, delimiter=delimiter) if row]
    header = choices.header
    if header is None:
        header, reason = _header(rows)
        say.line("header", f"{'the first row' if header else 'none'}: {reason}", "--header yes or no")
    decimal = choices.decimal or _decimal(rows[header:], say)
    return Format(delimiter, decimal, encoding, header)


def find_encoding(file: Path, choices: Choices, say: Say) -> str:
    """A byte-order mark says it; else UTF-8 where the file is that, else a guess."""
    with file.open("rb") as handle:
        sample = handle.read(SAMPLE)
    marks = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32",
             codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
    marked = next((encoding for mark, encoding in marks.items() if sample.startswith(mark)), None)
    if choices.encoding is not None:
        return choices.encoding
    if marked is not None:
        say.line("encoding", f"{marked}, with a byte-order mark", "--encoding")
        return marked
    if _is_utf8(file):
        say.line("encoding", "utf-8" if not sample.isascii() else "utf-8 (plain ASCII)", "--encoding")
        return "utf-8"
    found = _guess(sample)
    if found is None:
        raise UserError(f"{file}: no encoding of text that is known here. Say which: --encoding cp1252.")
    say.line("encoding", f"not utf-8; guessed {found}: look whether letters with accents are right", "--encoding")
    return found


def _guess(sample: bytes) -> str | None:
    """What a text that is not UTF-8 may be; few accents among ASCII are little to go by."""
    from charset_normalizer import from_bytes

    beyond = re.findall(rb"[\x80-\xff]+", sample)
    latin = sum(len(run) == 1 for run in beyond) > 0.6 * len(beyond)       # of other scripts, they come in runs
    best = from_bytes(sample, cp_isolation=["cp1252", "cp1250", "cp1254", "cp1257"] if latin else None).best()
    if best is None:
        return None
    if latin and sample.decode("cp1252", errors="replace") == sample.decode(best.encoding, errors="replace"):
        return "cp1252"
    return codecs.lookup(best.encoding).name


def _is_utf8(file: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    with file.open("rb") as handle:
        try:
            while block := handle.read(SAMPLE):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def _lines(file: Path, encoding: str) -> list[str]:
    """The file's first lines; a cell may hold line ends, so these may be fewer rows."""
    block = next(blocks([file], encoding), "")
    *lines, rest = block.split("\n")
    cut = len(block) > SAMPLE // 4      # then the last line may be half of one
    return [line + "\n" for line in (lines if cut and lines else [*lines, rest]) if line.strip()]


def _delimiter(lines: list[str], say: Say) -> str:
    """The one that gives the most rows the same number of cells, and more than one."""
    csv.field_size_limit(SAMPLE)
    agreeing = {}
    for mark in MARKS:
        try:
            widths = Counter(len(row) for row in islice(csv.reader(lines, delimiter=mark), ROWS))
        except csv.Error:
            continue
        (width, count), = widths.most_common(1)
        if width > 1 and count >= 0.9 * widths.total():
            agreeing[mark] = count / widths.total()
    if not agreeing:
        say.line("delimiter", "none found: one column", "--delimiter")
        return ","
    # a comma is the likeliest to stand within cells, too
    chosen = max(agreeing, key=lambda mark: (agreeing[mark], "|,\t;".find(mark) if mark != "," else -1))
    others = "".join(f"; a {CALLED[mark]} would fit, too" for mark in agreeing if mark != chosen)
    say.line("delimiter", f"{CALLED[chosen]}{others}", "--delimiter")
    return chosen


def _header(rows: list[list[str]]) -> tuple[bool, str]:
    """Whether the first row names the columns, and what says so."""
    first, rest = rows[0], rows[1 : ROWS + 1]
    if any(NUMBER.fullmatch(cell.strip()) for cell in first):
        return False, "there are numbers in the first row"
    columns = [[row[at].strip() for row in rest if at < len(row)] for at in range(len(first))]
    if any(any(column) and all(NUMBER.fullmatch(cell) for cell in column if cell) for column in columns):
        return True, "words above numbers"
    if any(cell.strip() and cell.strip() in column for cell, column in zip(first, columns, strict=True)):
        return False, "what stands in the first row stands below it, too"
    return True, "what stands in it stands nowhere below"


def _decimal(rows: list[list[str]], say: Say) -> str:
    """A comma, where a column's numbers have commas and none has a point."""
    for at in range(max(map(len, rows), default=0)):
        cells = [row[at].strip() for row in rows[:ROWS] if at < len(row) and row[at].strip()]
        commas = [cell for cell in cells if COMMA.fullmatch(cell)]
        if commas and all(NUMBER.fullmatch(cell) and "." not in cell for cell in cells):
            say.line("decimal", f"a comma, as in {commas[0]!r}", "--decimal .")
            return ","
    return "."
