"""How a CSV file is written, by its first lines, and how far that is sure."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from unroll.base.errors import UserError
from unroll.data.spec import Reading
from unroll.readers.common.dialect import (
    find_decimal,
    find_delimiter,
    find_header,
    find_thousands,
    first_lines,
    numbered_rows,
    without_thousands,
)
from unroll.readers.common.encodings import find_encoding
from unroll.readers.common.plain_rows import rows_alone
from unroll.readers.common.preamble import find_comment, find_skip, find_units


def sniff(file: Path, settings: Mapping[str, Any]) -> tuple[Reading, dict[str, str]]:
    """How the file is written, and in words what was found for each setting that `settings` does not decide.

    A comment of "" is none, as are such thousands. Raises `UserError` when the file is empty or in no known encoding.
    """
    known = {name: value for name, value in settings.items() if value is not None}
    findings: dict[str, str | None] = {}

    def decide(name: str, found: tuple[Any, str | None]) -> None:
        known[name], findings[name] = found

    if "encoding" not in known:
        decide("encoding", find_encoding(file))
    lines = first_lines(file, known["encoding"])
    if not any(line.strip() for line in lines):
        raise UserError("empty", file, "empty. Give a table with rows.")
    if re.fullmatch(r"sep=.\s*", lines[0].lstrip("\ufeff"), re.IGNORECASE):
        raise UserError("unsupported", f"{file}, row 1", f"{lines[0].strip()!r} is meant for Excel alone. Take the row "
                        "out.")
    if "comment" not in known:
        decide("comment", find_comment(lines))
    written = Reading(comment=known["comment"], skip=known.get("skip", 0))
    lines = [line + "\n" for line in "".join(rows_alone(iter(lines), written)).split("\n")]
    if not any(line.strip() for line in lines):
        raise UserError("empty", file, "no line that is a row. Give a table with rows.")
    if "delimiter" not in known:
        decide("delimiter", find_delimiter([line for line in lines if line.strip()]))
    places, rows = numbered_rows(lines, known["delimiter"])
    if "skip" not in known:
        decide("skip", find_skip(rows, places))
        rows = rows[sum(place < known["skip"] for place in places) :]
    if "thousands" not in known:
        below = rows[2:] if len(rows) > 4 else rows[1:]     # what may be the header, and units
        decide("thousands", find_thousands(below, known["delimiter"], known.get("decimal")))
    rows = without_thousands(rows, known["thousands"])
    if "units" not in known:
        decide("units", find_units(rows) if known.get("header", True) else (False, None))
    rows = rows[:1] + rows[2:] if known["units"] else rows
    if "header" not in known:
        decide("header", find_header(rows))
        if not known["header"] and known["units"]:
            known["units"], findings["units"] = False, None
    if "decimal" not in known:
        other = {",": ".", ".": ","}.get(known["thousands"])
        decide("decimal", find_decimal(rows[known["header"] :]) if other is None else (
            other, "a comma" if other == "," else None))
    reading = Reading(**{name: value for name, value in known.items() if value != ""})
    return reading, {name: reason for name, reason in findings.items() if reason is not None}
