"""-(1 - p_y)^γ log p_y (Lin et al., 2017, equation 4)."""

import torch
from torch import Tensor

from unroll.config.losses.focal import Settings
from unroll.models.loss import BaseLoss, known_classes


class Loss(BaseLoss):
    settings: Settings

    def __call__(self, outputs: Tensor, target: Tensor) -> Tensor:
        logits, classes = known_classes(outputs, target)
        log_p = logits.log_softmax(dim=-1).gather(-1, classes[:, None])[:, 0]
        # above 0: the gradient of a power below 1 is infinite there, and times log 1 = 0 would be NaN
        rest = (-torch.expm1(log_p)).clamp(min=torch.finfo(log_p.dtype).tiny)
        return -(rest**self.settings.gamma * log_p).sum()
