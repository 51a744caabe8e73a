"""A network over all batches of a split: what it predicts, and what that costs."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from numpy.typing import NDArray

from unroll.data.batches import Batch, Layout, all_batches
from unroll.models.cell import State
from unroll.models.network import Fields, Network

Values = NDArray[Any]


class BatchOutput(NamedTuple):
    """Predictions of one batch, by head: (T, B, ·) or (B, ·)."""

    batch: Batch
    predictions: dict[str, Values]
    losses: dict[str, float]    # summed over the targets that are known


@torch.inference_mode()
def outputs(network: Network, layout: Layout) -> Iterator[BatchOutput]:
    """Batch after batch, the state carried along a stream."""
    state: list[State] | None = None
    for batch in all_batches(layout):
        raw, state = network(tensors(batch.inputs), None if batch.fresh else state,
                             lengths=torch.from_numpy(batch.lengths))
        losses = {name: float(loss) for name, loss in network.losses(raw, tensors(batch.targets)).items()}
        predictions = {name: network.head(name).predict(values).double().numpy() for name, values in raw.items()}
        yield BatchOutput(batch, predictions, losses)


def tensors(arrays: dict[str, Values]) -> Fields:
    return {name: torch.from_numpy(values) for name, values in arrays.items()}
