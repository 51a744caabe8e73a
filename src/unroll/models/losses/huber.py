"""½e² where the error e is at most δ, δ(|e| - ½δ) further out (Huber, 1964)."""

from torch import Tensor
from torch.nn.functional import huber_loss

from unroll.config.losses.huber import Settings
from unroll.models.loss import BaseRealLoss, full


class Loss(BaseRealLoss):
    settings: Settings

    def __call__(self, outputs: Tensor, target: Tensor) -> Tensor:
        known = ~target.isnan()
        return huber_loss(full(outputs)[..., 0][known], target[known], reduction="sum", delta=self.settings.delta)
