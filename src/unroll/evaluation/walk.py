"""Forecasts from every origin of a split, part after part, so that no array has all of them."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unroll.config.evaluate import EvaluateConfig
from unroll.data.fields import Sequences
from unroll.data.windows import stretches
from unroll.evaluation.scored import score
from unroll.models.folder import Model

Values = NDArray[np.float64]
NUMBERS = 1 << 21       # of windows and quantiles that are in memory together


class Part(NamedTuple):
    """Some windows of a split, in order."""

    first: int          # the number of the first one
    window: NDArray[Any]        # (rows, N, D) of the series
    quantiles: Values           # (N, H, D, levels)
    truth: Values               # (N, H, D), NaN where a value is not known


def parts(model: Model, data: Sequences, name: str, settings: EvaluateConfig) -> Iterator[Part]:
    """All windows of a split, as many at a time as have about `NUMBERS` numbers together."""
    assert data.frame is not None
    target, levels = model.spec.targets[name], len(getattr(model.config.heads[name], "levels", ()))
    each = target.size * (data.frame.rows + data.frame.forecast.horizon * levels)
    count = max(1, NUMBERS // each // settings.lanes) * settings.lanes      # whole batches
    for first in range(0, len(data), count):
        part = data.only(slice(first, first + count))
        quantiles, truth = forecasts(model, part, name, settings)
        yield Part(first, stretches(part, name)[0], quantiles, truth)


def forecasts(model: Model, data: Sequences, name: str, settings: EvaluateConfig) -> tuple[Values, Values]:
    """Quantiles (N, H, D, levels) and the actual values (N, H, D), a row per window in order."""
    assert data.frame is not None
    scored = score(model.network, data, name, settings)
    window, future = stretches(data, name)
    return data.frame.decode(window, scored.predictions), future.transpose(1, 0, 2).astype(np.float64)
