"""-log p of the true class, p a softmax of the logits."""

from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from unroll.data.fields import IGNORED
from unroll.models.loss import BaseLoss, full


class Loss(BaseLoss):
    """A single logit z stands for the logits (0, z) of two classes."""

    def __call__(self, outputs: Tensor, target: Tensor) -> Tensor:
        if outputs.shape[-1] > 1:
            return nats(outputs, target)
        known = target != IGNORED
        logits = full(outputs)[..., 0][known]
        return binary_cross_entropy_with_logits(logits, target[known].to(logits.dtype), reduction="sum")


def nats(logits: Tensor, target: Tensor) -> Tensor:
    """Logits (…, V), target (…) → the sum over targets that are not `IGNORED`."""
    return cross_entropy(full(logits).flatten(0, -2), target.flatten(), ignore_index=IGNORED, reduction="sum")
