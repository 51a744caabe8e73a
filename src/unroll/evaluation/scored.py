"""Predictions beside targets, one row a target that counts."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unroll.config.evaluate import EvaluateConfig
from unroll.data.batches import ItemLayout, Layout, StreamLayout, WindowLayout
from unroll.data.fields import IGNORED, Sequences
from unroll.data.source import Split
from unroll.data.store import Prepared
from unroll.models.network import Network
from unroll.models.outputs import outputs

STEPS = 256     # of a lane at a time; without a gradient only memory limits it


class Scored(NamedTuple):
    """`loss` is the mean over targets, as the head has it; a sequence's rows come in the data's order."""

    predictions: NDArray[np.float64]    # (N, ·)
    targets: NDArray[Any]               # (N,) classes, (N, ·) scaled reals
    loss: float


def layout_of(data: Sequences, settings: EvaluateConfig) -> Layout:
    if data.frame is not None:
        return WindowLayout(data, settings.lanes, seed=None)
    if data.bounds is not None:
        return ItemLayout(data, settings.lanes, seed=None)
    return StreamLayout(data, min(settings.lanes, len(data)), STEPS, settings.warmup)


def split_of(prepared: Prepared, split: Split, settings: EvaluateConfig) -> Sequences:
    """The split; of the training split, so many steps that `evaluate.train_tokens` are about reached."""
    data = prepared.sequences(split)
    if split != "train":
        return data
    if data.bounds is None:
        return data.only(slice(0, settings.train_tokens))
    reached = np.cumsum(data.lengths)
    return data.only(slice(0, max(1, int(np.searchsorted(reached, settings.train_tokens, side="right")))))


def score(network: Network, data: Sequences, name: str, settings: EvaluateConfig) -> Scored:
    predictions, targets, places, loss = [], [], [], 0.0
    for batch, predicted, cost in outputs(network, layout_of(data, settings)):
        target, given = batch.targets[name], predicted[name]
        if target.dtype.kind == "i":
            known = target != IGNORED
        else:       # a vector counts, or does not, as a whole
            rows = 1 if data.pooled else 2
            known = ~np.isnan(target).any(axis=tuple(range(rows, target.ndim)))
        item = np.broadcast_to(batch.items, known.shape)
        predictions.append(given[known])
        targets.append(target[known])
        places.append(item[known])
        loss += cost
    order = np.argsort(np.concatenate(places), kind="stable")
    return Scored(np.concatenate(predictions)[order], np.concatenate(targets)[order], loss / len(order))
