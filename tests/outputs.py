"""A network's predictions by sequence, in the data's own order."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.data.batches import Layout
from unroll.models.network import Network
from unroll.models.outputs import outputs

Values = NDArray[Any]


def of_sequences(network: Network, layout: Layout, name: str) -> tuple[list[Values], float]:
    """Predictions of each sequence, (T, ·) or (·), and the summed loss."""
    found: dict[int, Values] = {}
    loss = 0.0
    for batch, predictions, costs in outputs(network, layout):
        loss += costs[name]
        pooled = network.head(name).pool is not None
        for lane, item in enumerate(batch.items):
            if item >= 0:
                values = predictions[name]
                found[int(item)] = values[lane] if pooled else values[: batch.lengths[lane], lane]
    return [found[item] for item in sorted(found)], loss


def of_stream(network: Network, layout: Layout, name: str, length: int) -> tuple[Values, float]:
    """(length, ·) predictions of a stream, and the summed loss."""
    parts: list[Values] = []
    loss = 0.0
    for _, predictions, costs in outputs(network, layout):
        loss += costs[name]
        parts.append(predictions[name])
    lanes = np.concatenate(parts).swapaxes(0, 1)            # (B, T, ·)
    return lanes.reshape(-1, *lanes.shape[2:])[:length], loss
