"""Predictions beside targets, one row for each target that is known."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unroll.config.evaluate import EvaluateConfig
from unroll.data.batches import ItemLayout, Layout, StreamLayout
from unroll.data.fields import IGNORED, Sequences
from unroll.data.parts import some_sequences
from unroll.data.source import Split
from unroll.data.store import Prepared
from unroll.data.windows import WindowLayout
from unroll.models.network import Network
from unroll.models.outputs import outputs

# of each split's metrics; train/ and val/ are the names of the curves in MLflow
PREFIXES: dict[Split, str] = {"test": "test/", "validation": "best/val_", "train": "best/train_"}
STEPS = 256     # of a lane at a time; without a gradient only memory limits it


class Scored(NamedTuple):
    """Rows are in the order of the data."""

    predictions: NDArray[np.float64]    # (N, ·)
    targets: NDArray[Any]               # (N,) classes, (N, ·) scaled reals, NaN where one of several is unknown
    loss: float                         # the head's loss, mean over targets


def layout_of(data: Sequences, settings: EvaluateConfig, whole: bool, limit: int | None = None) -> Layout:
    """How a split is read; with `limit`, about so many steps, spread evenly over it; `whole`: sequences at once."""
    if data.bounds is None:
        lanes = min(settings.lanes, len(data))
        return StreamLayout(data, lanes, STEPS, settings.warmup, None if limit is None else -(-limit // lanes))
    chosen = data if limit is None else data.only(some_sequences(data.lengths, limit))
    if data.frame is not None:
        return WindowLayout(chosen, settings.lanes, seed=None)
    return ItemLayout(chosen, settings.lanes, None, None if whole else STEPS)


def previous(prepared: Prepared, name: str, split: Split) -> NDArray[Any]:
    """What a drawn input was at the step before each known target (N, ·), its begin before the first of a sequence.

    A number that is missing there is 0, the mean.
    """
    data, rows = prepared.sequences(split), prepared.known(name, split)
    field, offsets = data.inputs[name], prepared.offsets(split)
    start = 0 if offsets is None else offsets[np.searchsorted(offsets, rows, side="right") - 1]
    return np.nan_to_num(field.at(rows - 1, rows - 1 >= start))


def score_split(network: Network, prepared: Prepared, split: Split, name: str, settings: EvaluateConfig) -> Scored:
    """A head's predictions for a split; for training, about `train_tokens` steps of it."""
    limit = settings.train_tokens if split == "train" else None
    return score(network, prepared.sequences(split), name, settings, limit)


def score(
    network: Network, data: Sequences, name: str, settings: EvaluateConfig, limit: int | None = None
) -> Scored:
    """A head's predictions for a split, or, with `limit`, for about so many steps of it."""
    predictions, targets, places, loss, count = [], [], [], 0.0, 0.0
    rows = 2 if name in data.targets and data.targets[name].per == "step" else 1      # dimensions before a vector's
    for batch, predicted, losses in outputs(network, layout_of(data, settings, network.whole, limit)):
        target = batch.targets[name]
        if target.dtype.kind == "i":
            known = target != IGNORED
        else:
            known = ~np.isnan(target).all(axis=tuple(range(rows, target.ndim)))
        predictions.append(predicted[name][known])
        targets.append(target[known])
        places.append(np.broadcast_to(batch.items, known.shape)[known])
        loss, count = loss + losses[name], count + batch.counts[name]
    order = np.argsort(np.concatenate(places), kind="stable")
    return Scored(np.concatenate(predictions)[order], np.concatenate(targets)[order], loss / (count or 1))
