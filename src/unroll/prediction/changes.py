"""Settings of reading in which a file differs from the training data."""

from collections.abc import Mapping
from pathlib import Path

from unroll.base.errors import UserError
from unroll.data.spec import Reading
from unroll.readers import format_of
from unroll.readers.common.advice import named
from unroll.readers.common.packed import ending_of
from unroll.readers.common.times import EPOCHS


def changed(path: Path, reading: Reading, changes: Mapping[str, str]) -> Reading:
    """Raises `UserError` on a setting without effect on the file."""
    found = None if path.is_dir() else format_of(path)
    for name in changes:
        table = reading.table
        if name == "time_format" and (table is None or table.time is None):
            raise UserError("no-effect", named(name), "the model reads no column of times. Leave it out.")
        if found is not None and name != "time_format" and name not in getattr(found, "SETTINGS", (
                "encoding", "delimiter") if found.HOLDS == "text" else ()):
            raise UserError("no-effect", named(name), f"has no effect on {ending_of(path)} files. Leave it out.")
    if "time_format" in changes and reading.table is not None:
        form = changes["time_format"]
        zone = None if form in EPOCHS or "%z" in form else reading.table.time_zone
        own = reading.table.model_copy(update={"time_format": form, "time_zone": zone})
        reading = reading.model_copy(update={"table": own})
    return reading.model_copy(update={name: value for name, value in changes.items() if name != "time_format"})
