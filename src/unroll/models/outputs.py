"""A network over all batches of a split: what it says of each sequence, and what that costs."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from unroll.data.batches import Batch, Layout, all_batches
from unroll.models.cell import State
from unroll.models.network import Fields, Network

Values = NDArray[Any]


class Output(NamedTuple):
    """Predictions of one batch, by head: (T, B, ·) or (B, ·)."""

    batch: Batch
    predictions: dict[str, Values]
    loss: float     # summed over targets that count


@torch.inference_mode()
def outputs(network: Network, layout: Layout) -> Iterator[Output]:
    """Batch after batch, the state carried along a stream."""
    state: list[State] | None = None
    for batch in all_batches(layout):
        given, state = network(tensors(batch.inputs), None if batch.fresh else state,
                               lengths=torch.from_numpy(batch.lengths))
        loss = float(network.loss(given, tensors(batch.targets))) if batch.targets else 0.0
        yield Output(batch, {name: network.head(name).predict(each.double()).numpy() for name, each in given.items()},
                     loss)


def tensors(arrays: dict[str, Values]) -> Fields:
    return {name: torch.from_numpy(each) for name, each in arrays.items()}


def of_sequences(network: Network, layout: Layout, name: str) -> tuple[list[Values], float]:
    """Predictions of each sequence in the data's own order, (T, ·) or (·), and the summed loss."""
    found: dict[int, Values] = {}
    loss = 0.0
    for batch, predictions, cost in outputs(network, layout):
        loss += cost
        pooled = network.head(name).pool is not None
        for lane, item in enumerate(batch.items):
            if item >= 0:
                given = predictions[name]
                found[int(item)] = given[lane] if pooled else given[: batch.lengths[lane], lane]
    return [found[item] for item in sorted(found)], loss


def of_stream(network: Network, layout: Layout, name: str, length: int) -> tuple[Values, float]:
    """(length, ·) predictions of a stream without warm-up, and the summed loss."""
    parts: list[Values] = []
    loss = 0.0
    for _, predictions, cost in outputs(network, layout):
        loss += cost
        parts.append(predictions[name])
    lanes = np.concatenate(parts).swapaxes(0, 1)            # (B, T, ·)
    return lanes.reshape(-1, *lanes.shape[2:])[:length], loss
