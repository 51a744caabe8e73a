"""The format of tables, from the options or detected in the first file whose format can vary."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from unroll.base.errors import UserError
from unroll.commands.init.draft import Options, report
from unroll.data.spec import Reading
from unroll.readers.common.packed import ending_of
from unroll.readers.common.tables import table_format

SETTINGS = ("sheet", "encoding", "comment", "delimiter", "skip", "header", "units", "decimal", "thousands")
OPTIONS = {"header": "--header yes or no", "decimal": "--decimal .", "skip": "--skip N", "units": "--units yes or no",
           "comment": "--comment MARK or none", "thousands": "--thousands MARK or none"}


def find_reading(files: list[Path], options: Options) -> Reading:
    """Raises `UserError` when the first such file is empty, or an option is wrong or without effect."""
    if options.delimiter is not None and len(options.delimiter) != 1:
        raise UserError("wrong-type", "--delimiter", f"{options.delimiter!r} is not one character. Give ',', ';' or a "
                        "tab.")
    written = {name: "" if (value := getattr(options, name)) == "none" else value for name in SETTINGS}
    for file in files:
        reader = table_format(file)
        if reader.SETTINGS:
            _check(written, reader.SETTINGS, file)
            reading, findings = reader.sniff(file, written)
            for name in SETTINGS:
                if name in findings:
                    report(name, findings[name], OPTIONS.get(name, f"--{name}"))
            assert isinstance(reading, Reading)
            return reading
    _check(written, (), files[0])
    return Reading(delimiter=",")


def _check(written: Mapping[str, Any], settings: Collection[str], file: Path) -> None:
    for name, value in written.items():
        if value is not None and name not in settings:
            raise UserError("no-effect", f"--{name}", f"has no effect on {ending_of(file)} files. Leave it out.")
