"""The distribution of a vector of real numbers: its likelihood, and how far its mean is off."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from unroll.config.evaluate import EvaluateConfig
from unroll.config.loss import LEAST_DEVIATION
from unroll.data.encoders import Moments
from unroll.data.npy import stretch_of
from unroll.data.source import Split
from unroll.data.store import Prepared
from unroll.evaluation.report import Metrics, Report
from unroll.evaluation.reports import regression
from unroll.evaluation.scored import PREFIXES
from unroll.models.folder import Model

PROSE = replace(regression.PROSE, task="predicts the distribution of a value for each {per}")


def report(model: Model, prepared: Prepared, name: str, settings: EvaluateConfig) -> Report:
    """As of values, but compared by `nll`, on the scale of training.

    The baseline `normal` is one normal distribution of each number, that of the training split.
    """
    own = regression.report(model, prepared, name, settings)
    metrics: Metrics = own.metrics | {f"{prefix}nll": own.metrics[f"{prefix}loss"] for prefix in PREFIXES.values()}
    moments, known = Moments(), prepared.known(name, "train")
    step = stretch_of(prepared.spec.targets[name].size)
    for first in range(0, len(known), step):
        moments.add(_scaled(prepared, name, "train", known[first : first + step]))
    deviation = moments.deviation.clip(LEAST_DEVIATION)
    z = (_scaled(prepared, name, "test", prepared.known(name, "test")) - moments.mean) / deviation
    metrics["baseline/normal_nll"] = float(np.nanmean(0.5 * z**2 + np.log(deviation))) + 0.9189385332046727  # ½ log 2π
    return replace(own, metrics=metrics, measure="nll", unit="nats per number, scaled", prose=PROSE)


def _scaled(prepared: Prepared, name: str, split: Split, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Targets (N, F) of the rows, NaN where a number is not known."""
    return prepared.sequences(split).targets[name].at(rows, np.ones(len(rows), bool)).astype(np.float64)
