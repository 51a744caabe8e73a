"""Predictions as a table: a row for each sequence, each step, or each step ahead."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from unroll.prediction.predicted import Predicted
from unroll.prediction.predictor import Predictor

Values = NDArray[Any]
PLACE, STEP = " place", "step"      # no column of a user's begins with a space


def as_table(
    predictor: Predictor, predictions: Mapping[str, Sequence[Values]], names: Sequence[str],
    before: Sequence[int] | None = None,
) -> pd.DataFrame:
    """Columns `sequence`, `step` (from 1, for predictions of a step), and by kind of target:

    - classes: the most probable under the target's name, and `p_<class>` for each;
    - labels: `p_<label>` for each;
    - values: the target's name, or `<target>_<column>` for each of several;
    - forecasts: the median under the target's name, `q<level>`, and a row for each `variable` of several series;
    - symbols: `nats`, the cost of each.

    Of several targets `p_…` and `nats` begin with the target's name, and a prediction for a sequence is repeated at its
    steps; where symbols alone would have steps, `nats` is the cost of the whole sequence. Columns of data without names
    are numbered from 1. `before` are the steps that each sequence has had already.
    """
    others = [target.per for target in predictor.targets.values() if not target.spec.symbols]
    tables = [_costs(name, found, names) if predictor.targets[name].spec.symbols and others and "step" not in others
              else _one(predictor, predictor.targets[name], found, names, before)
              for name, found in predictions.items()]
    # a target's steps may begin later than another's; names of sequences may be equal
    first, *rest = sorted(tables, key=lambda table: STEP not in table)
    for table in rest:
        keys = [key for key in (PLACE, "sequence", STEP) if key in first and key in table]
        first = first.merge(table, on=keys, how="outer", sort=False)
    if rest:
        first = first.sort_values([key for key in (PLACE, STEP) if key in first], kind="stable", ignore_index=True)
    return first.drop(columns=PLACE)


def _costs(name: str, found: Sequence[Values], names: Sequence[str]) -> pd.DataFrame:
    """The cost of all symbols of each sequence."""
    nats = [np.log(1 / probabilities.clip(1e-300)).sum() for probabilities in found]
    return pd.DataFrame({PLACE: range(len(names)), "sequence": list(names), f"{name}_nats": nats})


def _one(predictor: Predictor, target: Predicted, found: Sequence[Values], names: Sequence[str],
         before: Sequence[int] | None) -> pd.DataFrame:
    """The table of one target; the column `PLACE` is the sequence's number."""
    makers: dict[str, Callable[[Predicted, Values, str], dict[str, Any]]] = {
        "classes": _classes, "labels": _labels, "reals": _reals, "forecast": _quantiles,
    }
    make = _nats if target.spec.symbols else makers[target.spec.kind]
    prefix = f"{target.name}_" if len(predictor.targets) > 1 else ""
    if target.spec.kind != "forecast" and target.per == "sequence":
        return pd.DataFrame({PLACE: range(len(names)), "sequence": list(names),
                             **make(target, np.stack(found), prefix)})
    columns = make(target, np.concatenate(found), prefix)
    lengths = [len(steps) for steps in found]
    # beside a forecast, whose steps come after the last one that was read, the target of that one
    beside = target.spec.kind != "forecast" and any(other.spec.kind == "forecast" for other in
                                                    predictor.targets.values())
    first = np.array(before or [0] * len(names)) + target.ahead + (0 if beside else 1)
    step = np.concatenate([start + np.arange(length) for start, length in zip(first, lengths, strict=True)])
    # rows per step: one, or one for each variable of a forecast
    rows = len(next(iter(columns.values()))) // max(1, len(step))
    place = np.repeat(np.repeat(np.arange(len(names)), lengths), rows)
    return pd.DataFrame({PLACE: place, "sequence": np.array(names, dtype=object)[place], STEP: np.repeat(step, rows),
                         **columns})


def paths_table(
    predictor: Predictor, paths: Sequence[Values], names: Sequence[str], times: Sequence[Sequence[str]] | None = None
) -> pd.DataFrame:
    """Sampled paths (count, H, D) of each sequence: columns `sequence`, `path`, `step` (from 1), and the values.

    `times` are those of each sequence's H steps.
    """
    parts = []
    for at, (name, drawn) in enumerate(zip(names, paths, strict=True)):
        count, length, size = drawn.shape
        time = {} if times is None else {"time": np.tile(np.array(times[at], dtype=object), count)}
        parts.append(pd.DataFrame({
            "sequence": name, "path": np.repeat(np.arange(count) + 1, length),
            "step": np.tile(np.arange(length) + 1, count), **time,
            **_reals(predictor.forecast, drawn.reshape(count * length, size), ""),
        }))
    return pd.concat(parts, ignore_index=True)


def value_names(target: Predicted) -> list[str]:
    """The columns that hold a target's numbers."""
    name, columns = _name(target), target.columns
    return [name if len(columns) == 1 else f"{name}_{column}" for column in columns]


def _classes(target: Predicted, predicted: Values, prefix: str) -> dict[str, Any]:
    names = np.array(target.classes)
    return {_name(target): names[predicted.argmax(axis=-1)],
            **{f"{prefix}p_{name}": predicted[..., at] for at, name in enumerate(names)}}


def _labels(target: Predicted, predicted: Values, prefix: str) -> dict[str, Any]:
    return {f"{prefix}p_{label}": predicted[..., at] for at, label in enumerate(target.columns)}


def _reals(target: Predicted, predicted: Values, prefix: str) -> dict[str, Any]:
    return {name: predicted[..., at] for at, name in enumerate(value_names(target))}


def _quantiles(target: Predicted, predicted: Values, prefix: str) -> dict[str, Any]:
    """predicted (steps ahead of all sequences, D, levels)"""
    steps, size, _ = predicted.shape
    flat = predicted.reshape(steps * size, -1)
    variable = {} if size == 1 else {"variable": np.tile(target.columns, steps)}
    median = target.levels.index(0.5)
    return {**variable, _name(target): flat[:, median],
            **{f"q{level:g}": flat[:, at] for at, level in enumerate(target.levels)}}


def _nats(target: Predicted, predicted: Values, prefix: str) -> dict[str, Any]:
    return {f"{prefix}nats": np.log(1 / predicted.clip(1e-300))}


def _name(target: Predicted) -> str:
    """The target's name, or another one where it is the name of another column."""
    others = {"sequence", "origin", "path", "step", "time", "variable", *(f"p_{name}" for name in target.classes)}
    return f"predicted_{target.name}" if target.name in others else target.name
