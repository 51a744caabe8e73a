"""A table before its task is known, and section `data` made of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unroll.commands.init.draft import Place
from unroll.commands.init.roles import Roles
from unroll.data.spec import Reading


@dataclass(frozen=True)
class Table:
    place: Place
    files: list[Path]
    reading: Reading
    roles: Roles
    zone: str | None = None     # of the times

    def data(self, inputs: dict[str, str], targets: dict[str, str], columns: dict[str, list[str]]) -> dict[str, Any]:
        """Section `data`, with every setting of a table."""
        time, reading = self.roles.time, self.reading
        return {
            "kind": "table", "path": self.place.path, "delimiter": reading.delimiter, "decimal": reading.decimal,
            "encoding": reading.encoding, "header": reading.header, "skip": reading.skip,
            "comment": reading.comment, "units": reading.units, "thousands": reading.thousands, "sheet": reading.sheet,
            "wide": None if reading.wide is None else list(reading.wide.keep),
            "columns": columns,
            "series": self.roles.series.name if self.roles.series else None, "time": time.name if time else None,
            "time_format": time.forms[0] if time is not None and time.forms else None,
            "time_zone": self.zone, "frequency": self.roles.spacing.alias, "gaps": "ignore",
            "inputs": inputs, "targets": targets, "scale": "standard", "missing": "refuse",
            "na_values": list(reading.na_values), "forecast": None, "min_length": None,
            **({} if {"tokens", "context_tokens"} & {*inputs.values()} else {"tokenizer": None}),
            "validation": 0.15, "test": 0.15, "seed": 1, "licence": "not stated",
        }
