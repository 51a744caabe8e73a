"""Predictions as a table: a row a sequence, a step, or a step ahead."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from unroll.base.errors import UserError
from unroll.prediction.predictor import Predictor

Values = NDArray[Any]
DIGITS = 6      # significant ones: what a batch's size adds is less


def as_table(
    predictor: Predictor, predictions: Sequence[Values], names: Sequence[str], before: Sequence[int] | None = None
) -> pd.DataFrame:
    """Columns: `sequence`, `step` (from 1 on) that the prediction is of, where it is of one, and

    of classes the likeliest under the target's name and `p_<class>` each; of labels `p_<label>`; of values the target's
    name, `<target>_<column>` of several; of forecasts the median under the target's name and `q<level>`, of several
    series a row for each `variable`; of a language model `nats`, what each symbol cost. Where the data is no table,
    columns are numbered from 1 on. `before` are the steps that went before, where sequences go on.
    """
    makers: dict[str, Callable[[Predictor, Values], dict[str, Any]]] = {
        "classification": _classes, "labels": _labels, "regression": _reals, "forecast": _quantiles,
        "next_token": _nats,
    }
    make = makers[predictor.kind]
    if predictor.kind != "forecast" and predictor.per == "sequence":
        return pd.DataFrame({"sequence": list(names), **make(predictor, np.stack(predictions))})
    columns = make(predictor, np.concatenate(predictions))
    lengths = [len(each) for each in predictions]
    first = np.array(before or [0] * len(names)) + predictor.ahead + 1
    step = np.concatenate([start + np.arange(length) for start, length in zip(first, lengths, strict=True)])
    # rows a step: one, or of a forecast one for each variable
    rows = len(next(iter(columns.values()))) // len(step)
    sequence = np.repeat(np.array(names, dtype=object), lengths)
    return pd.DataFrame({"sequence": np.repeat(sequence, rows), "step": np.repeat(step, rows), **columns})


def paths_table(
    predictor: Predictor, paths: Sequence[Values], names: Sequence[str], times: Sequence[Sequence[str]] | None = None
) -> pd.DataFrame:
    """Sampled paths (count, H, D) of each sequence: columns `sequence`, `path` and `step` (from 1 on), and the values

    under the target's name, `<target>_<column>` of several; `times` are those of each sequence's H steps.
    """
    parts = []
    for at, (name, drawn) in enumerate(zip(names, paths, strict=True)):
        count, length, size = drawn.shape
        time = {} if times is None else {"time": np.tile(np.array(times[at], dtype=object), count)}
        parts.append(pd.DataFrame({
            "sequence": name, "path": np.repeat(np.arange(count) + 1, length),
            "step": np.tile(np.arange(length) + 1, count), **time,
            **_reals(predictor, drawn.reshape(count * length, size)),
        }))
    return pd.concat(parts, ignore_index=True)


def value_names(predictor: Predictor) -> list[str]:
    """Of the columns that hold a target's numbers."""
    name, columns = _name(predictor), predictor.columns
    return [name if len(columns) == 1 else f"{name}_{column}" for column in columns]


def _classes(predictor: Predictor, given: Values) -> dict[str, Any]:
    names = np.array(predictor.classes)
    return {_name(predictor): names[given.argmax(axis=-1)],
            **{f"p_{name}": given[..., at] for at, name in enumerate(names)}}


def _labels(predictor: Predictor, given: Values) -> dict[str, Any]:
    return {f"p_{label}": given[..., at] for at, label in enumerate(predictor.columns)}


def _reals(predictor: Predictor, given: Values) -> dict[str, Any]:
    return {name: given[..., at] for at, name in enumerate(value_names(predictor))}


def _quantiles(predictor: Predictor, given: Values) -> dict[str, Any]:
    """given (steps ahead of all sequences, D, levels)."""
    steps, size, _ = given.shape
    flat = given.reshape(steps * size, -1)
    variable = {} if size == 1 else {"variable": np.tile(predictor.columns, steps)}
    median = predictor.levels.index(0.5)
    return {**variable, _name(predictor): flat[:, median],
            **{f"q{level:g}": flat[:, at] for at, level in enumerate(predictor.levels)}}


def _nats(predictor: Predictor, given: Values) -> dict[str, Any]:
    return {"nats": np.log(1 / given.clip(1e-300))}


def _name(predictor: Predictor) -> str:
    """The target's name, where no other column is called so."""
    others = {"sequence", "origin", "path", "step", "time", "variable", *(f"p_{name}" for name in predictor.classes)}
    return f"predicted_{predictor.target}" if predictor.target in others else predictor.target


def _write_jsonl(table: pd.DataFrame, path: Path) -> None:
    # pandas would write numbers with ten decimals, which of a small probability leaves nothing
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in table.to_dict("records"))


WRITERS: dict[str, Callable[[pd.DataFrame, Path], object]] = {
    ".csv": lambda table, path: table.to_csv(path, index=False, lineterminator="\n", float_format=f"%.{DIGITS}g"),
    ".jsonl": _write_jsonl,
    ".parquet": lambda table, path: table.to_parquet(path, index=False),
}


def check_name(path: Path) -> None:
    """Raises `UserError` on an ending that has no writer."""
    if path.suffix not in WRITERS:
        raise UserError(f"{path}: the ending says how it is written: {', '.join(WRITERS)}.")


def write_table(table: pd.DataFrame, path: Path, ending: str) -> None:
    """As `ending` says: .csv, .jsonl or .parquet; numbers to six significant digits."""
    rounded = table.copy()
    for name in table.select_dtypes("float").columns:
        rounded[name] = [float(f"{value:.{DIGITS}g}") for value in table[name]]
    WRITERS[ending](rounded, path)
