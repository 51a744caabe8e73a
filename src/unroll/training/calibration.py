"""The last part of a training: predictions are calibrated on data that chose nothing."""

from collections.abc import Iterable

import numpy as np

from unroll.models.network import Network
from unroll.models.outputs import Values, outputs
from unroll.training.batches import Batches


def calibrate(network: Network, batches: Batches, names: Iterable[str]) -> int:
    """Calibrate the heads `names` on the best weights; returns on how many sequences."""
    network.cpu().eval()
    layout = batches.calibration()
    found: dict[str, list[tuple[Values, Values]]] = {name: [] for name in names}
    for each in outputs(network, layout) if len(layout) else ():
        for name, pairs in found.items():       # the inputs of all windows together need not fit in memory
            pairs.append((each.predictions[name], each.batch.targets[name].astype(np.float64)))
    for name, pairs in found.items():
        if pairs:
            network.head(name).calibrate(*map(np.concatenate, zip(*pairs, strict=True)))
    return len(layout.data)
