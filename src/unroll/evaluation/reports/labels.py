"""Several labels per step, such as the notes that sound: negative log-likelihood, frame accuracy."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.config.evaluate import EvaluateConfig
from unroll.data.source import Split
from unroll.data.store import Prepared
from unroll.drawing import evaluation as pictures
from unroll.evaluation.report import Metrics, Prose, Report
from unroll.evaluation.scored import PREFIXES, Scored, score_split
from unroll.models.folder import Model

Values = NDArray[Any]
SHOWN = 160     # steps of a picture
PROSE = Prose(
    task="predicts which labels are on at each step",
    limits=("Its probabilities are as training left them; check how often they are right before relying on them.",),
)


def report(model: Model, prepared: Prepared, name: str, settings: EvaluateConfig) -> Report:
    field = prepared.spec.targets[name].of or name
    scored = {split: score_split(model.network, prepared, split, name, settings) for split in PREFIXES}
    metrics: Metrics = {}
    for split, prefix in PREFIXES.items():
        metrics |= measures(scored[split], prefix)
    test = scored["test"]
    train, holes = np.asarray(prepared.values(field, "train"), np.float64), prepared.holes(name, "train")
    known = len(train) if holes is None else holes.known.sum(axis=0)        # unknown ones are 0
    share = (train.sum(axis=0) + 1) / (known + 2)               # Laplace
    metrics["baseline/frequencies_nll"] = nll(np.broadcast_to(share, test.targets.shape), test.targets)
    if prepared.spec.targets[name].ahead:
        stays, comes = _transitions(prepared, field)
        before = _pairs(prepared, field, "test")[0]
        metrics["baseline/last_step_nll"] = nll(np.where(before > 0, stays, comes), test.targets)
    return Report(metrics, "nll", "nats per step", False, partial(_draw, test), PROSE)


def nll(probability: Values, truth: Values) -> float:
    """The sum over known labels, in nats, by the number of steps, of which one with unknown labels is a fraction."""
    known = ~np.isnan(truth)
    p = np.where(truth > 0, probability, 1 - probability).clip(1e-12)
    return float(np.where(known, -np.log(p), 0).sum(axis=1).mean() / known.mean())


def measures(scored: Scored, prefix: str) -> Metrics:
    """`frame_accuracy`: true positives / (true positives + false positives + false negatives) (Bay et al., 2009)."""
    known = ~np.isnan(scored.targets)
    guessed, truth = scored.predictions[known] > 0.5, scored.targets[known] > 0
    hits, misses = (guessed & truth).sum(), (guessed ^ truth).sum()
    return {
        f"{prefix}loss": scored.loss,
        f"{prefix}nll": nll(scored.predictions, scored.targets),
        f"{prefix}frame_accuracy": float(hits / max(1, hits + misses)),
    }


def _pairs(prepared: Prepared, field: str, split: Split) -> tuple[Values, Values]:
    """The labels of each step and of the next step of its sequence, both (N, L)."""
    values, offsets = np.asarray(prepared.values(field, split)), prepared.offsets(split)
    if offsets is None:
        return values[:-1], values[1:]
    inner = np.ones(len(values), bool)
    inner[np.asarray(offsets[1:]) - 1] = False      # the last step of a sequence has no next one
    places = np.flatnonzero(inner)
    return values[places], values[places + 1]


def _transitions(prepared: Prepared, field: str) -> tuple[Values, Values]:
    """Shares (L,) of steps at which a label stays on, and comes on, with add-one smoothing (Laplace)."""
    now, after = (labels.astype(np.float64) for labels in _pairs(prepared, field, "train"))
    stays = ((now * after).sum(axis=0) + 1) / (now.sum(axis=0) + 2)
    comes = (((1 - now) * after).sum(axis=0) + 1) / ((1 - now).sum(axis=0) + 2)
    return stays, comes


def _draw(test: Scored, folder: Path) -> None:
    pictures.label_roll(test.predictions[:SHOWN], test.targets[:SHOWN], folder / "roll.png")
