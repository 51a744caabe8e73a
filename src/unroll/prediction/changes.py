"""Settings of reading in which files differ from the training data."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from unroll.base.errors import UserError
from unroll.data.spec import Reading, Spec
from unroll.readers import Holds, format_of
from unroll.readers.common.advice import named
from unroll.readers.common.packed import ending_of
from unroll.readers.common.times import EPOCHS

CELLS = ("encoding", "delimiter")


def changed(files: Sequence[Path], spec: Spec, changes: Mapping[str, Any]) -> Reading:
    """Raises `UserError` on a setting without effect on any of the files."""
    reading = spec.reading
    table = reading.table
    for name in changes:
        if name == "time_format":
            if table is None or table.time is None:
                raise UserError("no-effect", named(name), "the model reads no column of times. Leave it out.")
        elif not any(name in _settings(file, spec) for file in files):
            endings = ", ".join(sorted({ending_of(file) for file in files}))
            raise UserError("no-effect", named(name), f"has no effect on {endings} files. Leave it out.")
    if len(changes.get("delimiter", ",")) != 1:
        raise UserError("wrong-type", named("delimiter"), f"{changes['delimiter']!r} is not one character. Give ',', "
                        "';' or a tab.")
    if "time_format" in changes and table is not None:
        form = changes["time_format"]
        zone = None if form in EPOCHS or "%z" in form else table.time_zone
        own = table.model_copy(update={"time_format": form, "time_zone": zone})
        reading = reading.model_copy(update={"table": own})
    return reading.model_copy(update={name: value for name, value in changes.items() if name != "time_format"})


def _settings(file: Path, spec: Spec) -> Collection[str]:
    """The settings of `Reading` that say how the file is written, but for its times."""
    found = format_of(file)
    if found is None:       # which is refused later
        return CELLS
    if found.HOLDS == "text":
        return CELLS if is_table(found.HOLDS, spec) else ("encoding",)
    return getattr(found, "SETTINGS", ())


def is_table(holds: Holds, spec: Spec) -> bool:
    """Whether the model reads a file of a format that holds this as a table."""
    return holds == "table" or (holds == "text" and not spec.of_text and spec.reading.table is not None)
