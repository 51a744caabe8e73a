"""The distribution of a vector of real numbers: its likelihood, and how far its mean is off."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from unroll.config.evaluate import EvaluateConfig
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
    train, test = (_scaled(prepared, name, split) for split in ("train", "test"))
    mean, deviation = np.nanmean(train, axis=0), np.nanstd(train, axis=0).clip(1e-3)
    z = (test - mean) / deviation
    metrics["baseline/normal_nll"] = float(np.nanmean(0.5 * z**2 + np.log(deviation))) + 0.9189385332046727  # ½ log 2π
    return replace(own, metrics=metrics, measure="nll", unit="nats per number, scaled", prose=PROSE)


def _scaled(prepared: Prepared, name: str, split: Split) -> NDArray[np.float64]:
    """Known targets (N, F), NaN where a number of one is not."""
    field, rows = prepared.sequences(split).targets[name], prepared.known(name, split)
    return field.at(rows, np.ones(len(rows), bool)).astype(np.float64)
