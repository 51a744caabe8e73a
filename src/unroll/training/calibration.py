"""The last part of a training: predictions are calibrated on data that chose nothing."""

from collections.abc import Iterable

import numpy as np

from unroll.models.network import Network
from unroll.models.outputs import BatchOutput, outputs
from unroll.training.batches import Batches


def calibrate(network: Network, batches: Batches, names: Iterable[str]) -> int:
    """Calibrate the heads `names` on the best weights; returns on how many sequences."""
    network.cpu().eval()
    layout = batches.calibration()
    found: list[BatchOutput] = list(outputs(network, layout)) if len(layout) else []
    for name in names if found else ():
        network.head(name).calibrate(np.concatenate([each.predictions[name] for each in found]),
                                     np.concatenate([each.batch.targets[name] for each in found]).astype(np.float64))
    return len(layout.data)
