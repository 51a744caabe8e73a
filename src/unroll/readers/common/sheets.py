"""The rows of a workbook's sheet as text, one after another."""

import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime
from itertools import repeat
from pathlib import Path
from typing import Any

from unroll.base.errors import UserError, nearest
from unroll.readers.common.advice import named

BROKEN = (OSError, EOFError, KeyError, ValueError, TypeError, AttributeError, IndexError, SyntaxError, RuntimeError,
          NotImplementedError, zipfile.BadZipFile, zlib.error)
BLOCK = 1 << 20     # bytes of a sheet that are searched at a time

Row = tuple[int, list[str]]     # as Excel counts it, and its cells; the last one is not empty


def names_of(file: Path) -> list[str]:
    """The sheets, without charts and what is hidden; raises `UserError` where there are none."""
    with closing(_open(file)) as book:
        sheets = [sheet.title for sheet in book.worksheets if sheet.sheet_state == "visible"]
    if not sheets:
        raise UserError("empty", file, "no sheet that is not hidden. Give one with a table.")
    return sheets


def rows_of(file: Path, sheet: str | None) -> Iterator[Row]:
    """The rows of a sheet, by default the first, that have a value; numbers have a point, times are ISO 8601.

    Raises `UserError` on a formula whose value is not in the file, and when the file cannot be read.
    """
    names = names_of(file)
    if sheet is not None and sheet not in names:
        raise UserError("unknown-name", named("sheet"), f"{file} has no sheet {sheet!r}; {nearest(sheet, names)}")
    with closing(_open(file)) as book, closing(_open(file, data_only=False)) as written:
        name, number = names[0] if sheet is None else sheet, 0
        formulas = _rows(written, name) if _has_formulas(file) else repeat(())
        found = _rows(book, name)
        while True:
            try:
                cells, given = next(found, None), next(formulas, ())
            except BROKEN as error:
                raise _unreadable(file, error) from None
            if cells is None:
                return
            number += 1
            for cell, formula in zip(cells, given, strict=False):
                if formula.data_type == "f" and cell.value is None and cell.data_type == "n":
                    raise UserError("missing-number", f"{file}, cell {formula.coordinate}", f"the formula "
                                    f"{str(formula.value)[:40]!r} without its value, which the program that wrote the "
                                    "file has not computed. Open it in Excel or LibreOffice and save it, or write "
                                    "values.")
            texts = [_text(cell.value) for cell in cells]
            while texts and not texts[-1].strip():
                texts.pop()
            if texts:
                yield number, texts


def _open(file: Path, data_only: bool = True) -> Any:
    from openpyxl import load_workbook

    try:
        with warnings.catch_warnings(action="ignore"):      # of styles and extensions, which are not read
            return load_workbook(file, read_only=True, data_only=data_only)
    except BROKEN as error:
        raise _unreadable(file, error) from None
    except Exception as error:
        if type(error).__module__.startswith("openpyxl"):
            raise _unreadable(file, error) from None
        raise


def _rows(book: Any, name: str) -> Iterator[Any]:
    sheet = book[name]
    sheet.reset_dimensions()        # some programs write wrong ones
    with warnings.catch_warnings(action="ignore"):
        yield from sheet.iter_rows()


def _has_formulas(file: Path) -> bool:
    """Whether any sheet has one, by its tag; reading the cells a second time costs more."""
    with zipfile.ZipFile(file) as archive:
        for name in archive.namelist():
            if name.startswith("xl/worksheets/"):
                before = b""
                with archive.open(name) as part:
                    while block := part.read(BLOCK):
                        if any(tag in before + block for tag in (b"<f>", b"<f ", b"<x:f")):
                            return True
                        before = block[-2:]
    return False


def _text(value: Any) -> str:
    """A cell as CSV would have it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    return value.isoformat() if isinstance(value, date) else str(value)


def _unreadable(file: Path, error: Exception) -> UserError:
    reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
    return UserError("unreadable", file, f"not a workbook that can be read: {reason[:200]}. Save it again as .xlsx, "
                     "without a password, or save the sheet as .csv.")
