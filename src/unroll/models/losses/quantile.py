"""2 · max(q·e, (q - 1)·e), the mean over levels q, e = y_true - y_q (Koenker & Bassett, 1978); |e| at q = ½ alone."""

from collections.abc import Sequence

import torch
from torch import Tensor

from unroll.config.loss import LossSettings
from unroll.models.loss import BaseRealLoss, full


class Loss(BaseRealLoss):
    def __init__(self, settings: LossSettings, levels: Sequence[float]) -> None:
        super().__init__(settings, levels)
        self.parameters = len(levels)

    def __call__(self, outputs: Tensor, target: Tensor) -> Tensor:
        known = ~target.isnan()
        error = (target[..., None] - full(outputs))[known]                              # (n, levels)
        levels = self.levels.to(error)
        return (2 * torch.maximum(levels * error, (levels - 1) * error).mean(dim=-1)).sum()

    def predict(self, outputs: Tensor) -> Tensor:
        return full(outputs).sort(dim=-1).values        # quantiles that cross are put in order
