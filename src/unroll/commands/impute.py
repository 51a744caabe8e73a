"""`unroll predict --impute`: a file with missing values → the series filled in, with intervals."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from unroll.base.errors import UserError
from unroll.base.files import replacing
from unroll.prediction.impute import Filled, check, impute
from unroll.prediction.inputs import Inputs, read
from unroll.prediction.predictor import Predictor
from unroll.prediction.table_files import write_table
from unroll.prediction.times import ahead

DIGITS = 15     # what is known stays as it was


def write_imputed(predictor: Predictor, file: Path, out: Path, changes: Mapping[str, Any],
                  others: Mapping[str, object]) -> None:
    """A row for each step: each number, filled in where it was missing, and then the ends of its interval.

    The closing line says how the filling did on known values that were hidden, beside interpolation. Raises `UserError`
    on options that were given (not None) of the `others`.
    """
    for name in [name for name, given in others.items() if given is not None][:1]:
        raise UserError("no-effect", name, "has no effect with --impute. Leave it out.")
    check(predictor)
    inputs = read(file, predictor.spec, changes=changes)
    try:
        filled = impute(predictor, inputs.sequences, inputs.names)
    except UserError as error:
        raise error.within(file) from None
    table = pd.concat([_of_series(predictor, inputs, filled, at) for at in range(len(inputs.names))], ignore_index=True)
    stamps = _times(predictor, inputs, changes.get("time_format") or predictor.spec.reading.time_format)
    if stamps is not None:
        table.insert(2, "time", stamps)
    with replacing(out) as temporary:
        write_table(table, temporary, out.suffix, DIGITS)
    done = sum(int((~np.isnan(each[..., 0])).sum()) for each in filled.quantiles)
    missing = sum(int(np.isnan(np.asarray(each, np.float64)).sum()) for each in inputs.sequences)
    left = f", {missing - done:,} lack the {_needed(predictor)} steps before them" if missing > done else ""
    print(f"predict: {done:,} missing values are filled in{left}; {_words(predictor, filled)} → {out}")


def _words(predictor: Predictor, filled: Filled) -> str:
    score, levels = filled.score, predictor.forecast.levels
    if score is None:
        return "too few are known to hide some and see how well it does"
    worse = "" if score.error < score.interpolation else ": interpolation does better"
    return (f"of {score.values:,} known ones, hidden in runs as long, it misses by {score.error:.3f} deviations, "
            f"linear interpolation by {score.interpolation:.3f}{worse}, and its {levels[-1] - levels[0]:.0%} intervals "
            f"hold {score.coverage:.0%}")


def _needed(predictor: Predictor) -> int:
    spec = predictor.spec.forecast
    assert spec is not None
    return spec.context + spec.season


def _of_series(predictor: Predictor, inputs: Inputs, filled: Filled, at: int) -> pd.DataFrame:
    values = np.asarray(inputs.sequences[at], np.float64).reshape(len(inputs.sequences[at]), -1)
    quantiles, levels = _short(filled.quantiles[at]), predictor.forecast.levels
    columns: dict[str, object] = {"sequence": inputs.names[at], "step": np.arange(1, len(values) + 1)}
    for number, name in enumerate(predictor.forecast.labels):
        own = quantiles[:, number]
        name = f"predicted_{name}" if name in ("sequence", "step", "time") else name
        columns[name] = np.where(np.isnan(values[:, number]), own[:, levels.index(0.5)], values[:, number])
        columns |= {f"{name}_q{levels[end]:g}": own[:, end] for end in (0, -1)}
    return pd.DataFrame(columns)


def _short(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """With six digits, as predictions have elsewhere."""
    return np.array([float(f"{value:.6g}") for value in values.flat]).reshape(values.shape)


def _times(predictor: Predictor, inputs: Inputs, form: str | None) -> list[str] | None:
    """The time of each step, computed from the one before where a step has no row; None where that is impossible."""
    if inputs.times is None:
        return None
    found: list[str] = []
    for at, cells in enumerate(inputs.times):
        given = None if inputs.given is None else inputs.given[at]
        rows = iter(cells)
        own: list[str] = []
        for there in np.ones(len(cells), bool) if given is None else given:
            if there:
                own.append(next(rows))
                continue
            later = ahead(own[-20:], 1, form, predictor.spec.reading.frequency)
            if later is None:
                return None
            own.append(later[0])
        found += own
    return found
