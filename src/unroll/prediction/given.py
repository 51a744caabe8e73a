"""Predictions of the rows that a file has, where missing ones were filled in."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from unroll.prediction.inputs import Inputs
from unroll.prediction.memory import Memory
from unroll.prediction.predictor import Predictor, Values


def of_rows(
    predictor: Predictor, predictions: Mapping[str, Sequence[Values]], inputs: Inputs, memory: Memory | None
) -> Mapping[str, Sequence[Values]]:
    """The predictions but those of steps that were filled in, which `memory` does not count from now on either.

    A prediction is of the step that it is ahead of; those of the steps after the last one stay.
    """
    if inputs.given is None or predictor.spec.forecast is not None:
        return predictions
    if memory is not None:
        filled = [0 if rows is None else (~rows).sum() for rows in inputs.given]
        memory.steps = memory.steps - np.array(filled, np.int64)
    return {name: [values if rows is None or target.per != "step" else values[_kept(rows, target.ahead)]
                   for values, rows in zip(predictions[name], inputs.given, strict=True)]
            for name, target in predictor.targets.items()}


def _kept(rows: NDArray[np.bool_], ahead: int) -> NDArray[np.bool_]:
    return np.concatenate([rows[ahead:], np.ones(min(ahead, len(rows)), bool)])
