"""A vector of real numbers per sequence, or per step: squared and absolute errors in the target's own units."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torchmetrics.functional import mean_absolute_error, mean_squared_error, r2_score

from unroll.config.evaluate import EvaluateConfig
from unroll.data.encoders import scaler_of
from unroll.data.missing import held
from unroll.data.store import Prepared
from unroll.drawing import evaluation as pictures
from unroll.evaluation.report import Metrics, Prose, Report
from unroll.evaluation.scored import PREFIXES, previous, score_split
from unroll.models.folder import Model

Values = NDArray[Any]
SHOWN = 300     # steps of a picture
PROSE = Prose(
    task="predicts a value for each {per}",
    limits=("Far from the values that it was trained on its predictions are guesses.",),
)


def report(model: Model, prepared: Prepared, name: str, settings: EvaluateConfig) -> Report:
    target = prepared.spec.targets[name]
    scaler = scaler_of(target)
    metrics: Metrics = {}
    pairs: dict[str, tuple[Values, Values]] = {}        # predicted and true values, in the target's own units
    for split, prefix in PREFIXES.items():
        scored = score_split(model.network, prepared, split, name, settings)
        pairs[split] = scaler.decode(scored.predictions), scaler.decode(scored.targets)
        metrics |= {f"{prefix}loss": scored.loss, **measures(*pairs[split], prefix)}
    predicted, truth = pairs["test"]
    mean = means(prepared, target.of or name, truth.shape[1])
    metrics |= measures(np.broadcast_to(mean, truth.shape), truth, "baseline/mean_")
    if name in prepared.spec.drawn:
        metrics |= measures(scaler.decode(previous(prepared, name, "test")), truth, "baseline/last_")
    elif target.ahead and prepared.spec.layout == "stream":
        field = prepared.sequences("test").inputs[name]
        known = np.asarray(field.raw(slice(0, len(truth))), np.float64)
        before = scaler.decode(np.asarray(field.show(known if field.holes is None else held(known))))
        metrics |= measures(before, truth, "baseline/last_")
    return Report(metrics, "mse", "mean squared error", False,
                  partial(_draw, predicted, truth, target.per == "step"), PROSE)


def measures(predicted: Values, truth: Values, prefix: str) -> Metrics:
    """Over all known numbers of all targets; R² is 1 for a perfect prediction, 0 for the test split's own mean.

    Of several numbers R² is the mean of each one's.
    """
    known = ~np.isnan(truth)
    ours, theirs = (torch.from_numpy(np.ascontiguousarray(values, np.float64)) for values in (predicted, truth))
    flat = torch.from_numpy(known)
    scores = [float(r2_score(ours[flat[:, at], at], theirs[flat[:, at], at])) for at in range(theirs.shape[1])
              if known[:, at].sum() > 1]
    return {
        f"{prefix}mse": float(mean_squared_error(ours[flat], theirs[flat])),
        f"{prefix}mae": float(mean_absolute_error(ours[flat], theirs[flat])),
        f"{prefix}r2": sum(scores) / len(scores) if scores else 0.0,
    }


def means(prepared: Prepared, name: str, width: int) -> Values:
    """(D,) of each number, over what the training split knows of it."""
    values = np.asarray(prepared.values(name, "train")).reshape(-1, width)
    holes = prepared.holes(name, "train")
    if holes is None:
        return np.asarray(values.mean(axis=0))
    known = np.asarray(holes.known).reshape(-1, width)
    return np.asarray(np.where(known, values, 0).sum(axis=0, dtype=np.float64) / known.sum(axis=0).clip(1))


def _draw(predicted: Values, truth: Values, steps: bool, folder: Path) -> None:
    if steps:
        pictures.traces(predicted[:SHOWN, 0], truth[:SHOWN, 0], folder / "traces.png")
    known = ~np.isnan(truth)
    pictures.scatter(predicted[known], truth[known], folder / "against.png")
