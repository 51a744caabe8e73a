"""-log p where a label is on, -log(1 - p) where it is off, p a sigmoid of its logit."""

from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from unroll.models.loss import BaseLoss, full


class Loss(BaseLoss):
    def __call__(self, outputs: Tensor, target: Tensor) -> Tensor:
        known = ~target.isnan()
        logits = full(outputs)[known]
        return binary_cross_entropy_with_logits(logits, target[known].to(logits.dtype), reduction="sum")
