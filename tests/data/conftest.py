"""Prepared folders of given sequences, whatever is predicted of them."""

from pathlib import Path
from typing import Any

from unroll.config.sources.npz import Settings as NpzData
from unroll.config.sources.table import Settings as TableData
from unroll.config.tokenizers import char
from unroll.data.fitting import fit_codecs
from unroll.data.source import Origin, Source
from unroll.data.store import Prepared, open_prepared
from unroll.data.writer import write_prepared
from unroll.sources.common.memory import Items


def npz(target: str, kind: Any, scale: Any = "standard") -> NpzData:
    return NpzData(kind="npz", path="data/raw/a.npz", inputs={"x": "real"}, targets={target: kind},
                   arrays={"x": "X"} | {target: "X" if target == "x" else "y"}, scale=scale, missing="refuse",
                   licence="CC0", validation=0.1, test=None, seed=1)


def table(inputs: dict[str, Any], targets: dict[str, Any], forecast: dict[str, Any] | None = None) -> TableData:
    return TableData.model_validate({
        "time_zone": None, "frequency": None, "gaps": "ignore",
        "kind": "table", "path": "data/raw/a.csv", "delimiter": ",", "decimal": ".", "encoding": "utf-8",
        "header": True, "skip": 0, "comment": None, "units": False, "thousands": None, "sheet": None, "wide": None, "columns": {}, "series": None, "time": None, "time_format": None,
        "tokenizer": char.Settings(kind="char", min_count=1), "scale": "standard", "missing": "refuse", "na_values": [], "min_length": None, "test": 0.2, "forecast": forecast,
        "licence": "CC0", "inputs": inputs, "targets": targets, "validation": 0.1, "seed": 1,
    })


def written(folder: Path, config: Any, source: Source) -> Prepared:
    write_prepared(folder / "prepared", config, source, Origin("given", "CC0", "0" * 64), fit_codecs(config, source))
    return open_prepared(folder / "prepared", config)


def dealt(pieces: list[dict[str, Any]]) -> Items:
    """The last two test, the two before validate."""
    count = len(pieces)
    return Items(pieces, {"train": range(count - 4), "validation": [count - 4, count - 3], "test": [count - 2, count - 1]})
