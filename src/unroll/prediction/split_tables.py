"""Predictions for a split of prepared data, as tables."""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from unroll.data.fields import Sequences
from unroll.data.origins import Windows
from unroll.data.parts import spread
from unroll.data.source import Split
from unroll.data.spec import InputSpec
from unroll.data.store import Prepared
from unroll.prediction.predictor import Predictor
from unroll.prediction.table import as_table

Values = NDArray[Any]
MOST, PART = 1_000_000, 50_000      # rows of forecasts of a split, in all and at a time
NO_CATEGORY = "\ufffe"      # of what training never saw: not a character, so no category is called that


def split_tables(predictor: Predictor, prepared: Prepared, split: Split) -> Iterator[tuple[pd.DataFrame, int]]:
    """Predictions for a split, in parts, each with the number of its sequences; forecasts are from the origins scored.

    The column `origin` is the last step of the series that the forecast has read, counted from 1. Where that is more
    than about `MOST` rows, they are those of some origins, spread evenly.
    """
    data, offsets = prepared.sequences(split), prepared.offsets(split)
    if data.frame is None:
        yield _table_of_all(predictor, prepared, split)
        return
    places = prepared.places(split)
    assert offsets is not None
    rows = data.frame.forecast.horizon * predictor.forecast.spec.size      # of each origin
    if prepared.spec.known_ahead:       # windows without a forecast lack steps that are known ahead
        data = data.with_forecasts()
    data = data.only(spread(len(data), max(1, MOST // rows)))
    count = max(1, PART // rows)
    for first in range(0, len(data), count):
        part = data.only(slice(first, first + count))
        assert isinstance(part.bounds, Windows)
        series = part.bounds.series(slice(None))
        inputs = windows(prepared.spec.inputs, part, series)
        table = as_table(predictor, predictor.predict_all(inputs), [places[at].name for at in series])
        origins = part.bounds[:, 1] - offsets[series] + np.array([places[at].first for at in series])
        table.insert(1, "origin", np.repeat(origins, len(table) // len(inputs)))
        yield table, len(inputs)


def windows(fields: Mapping[str, InputSpec], data: Sequences, series: NDArray[np.int64]) -> list[Any]:
    """The windows of a forecast as a user would give them, or the values of every input; `series` (n,) are theirs."""
    assert data.bounds is not None and data.frame is not None
    found: dict[str, list[Values]] = {}
    for name, field in fields.items():
        more, raw = data.frame.forecast.horizon * field.known_ahead, data.inputs[name].raw
        found[name] = [*shown(field, raw(series))] if field.per == "sequence" else [
            shown(field, raw(slice(first, last + more))) for first, last in data.bounds]
    return [{**dict(zip(found, row, strict=True))} if len(found) > 1 else row[0]
            for row in zip(*found.values(), strict=True)]


def _table_of_all(predictor: Predictor, prepared: Prepared, split: Split) -> tuple[pd.DataFrame, int]:
    """Predictions for a split that is no series to forecast."""
    places, offsets = prepared.places(split), prepared.offsets(split)
    values = shown(prepared.spec.inputs[predictor.input], np.asarray(prepared.raw(predictor.input, split)))
    ends = int(prepared.spec.ending is not None)        # rows of a sequence that are no steps
    inputs: list[Any]
    if len(prepared.spec.inputs) > 1:
        inputs = given_inputs(prepared, split, np.array([0, len(values)]) if offsets is None else offsets)
    elif offsets is None:
        inputs = [values]
    else:
        inputs = [values[first : last - ends] for first, last in pairwise(offsets)]
    table = as_table(predictor, predictor.predict_all(inputs), [place.name for place in places],
                     [place.first for place in places])
    return table, len(inputs)


def given_inputs(prepared: Prepared, split: Split, offsets: Values) \
        -> list[dict[str, Values]]:
    """The values of every input, by sequence, as a user would give them."""
    columns: dict[str, list[Values]] = {}
    for name, field in prepared.spec.inputs.items():
        values, own = shown(field, np.asarray(prepared.raw(name, split))), prepared.own_offsets(name, split)
        ends = int(prepared.spec.ending is not None and own is None)        # rows of no step
        columns[name] = [*values] if field.per == "sequence" else [
            values[first : last - ends] for first, last in pairwise(offsets if own is None else own)]
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def shown(field: InputSpec, values: Values) -> Values:
    """Categories by name; others as they are."""
    if field.categories is None:
        return values
    return np.stack([np.array([NO_CATEGORY, *known, NO_CATEGORY])[column]       # the last one ends an item
                     for known, column in zip(field.categories, values.T, strict=True)], axis=1)
