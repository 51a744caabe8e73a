"""-log softmax(z + τ log π)_y, π the classes' frequencies in training (Menon et al., 2021, equation 10)."""

from torch import Tensor
from torch.nn.functional import cross_entropy

from unroll.config.losses.logit_adjusted import Settings
from unroll.models.loss import BaseClassLoss, Frequencies, known_classes


class Loss(BaseClassLoss):
    def __init__(self, settings: Settings, frequencies: Frequencies) -> None:
        super().__init__(settings, frequencies)
        self.adjustment = settings.tau * (self.counts / self.counts.sum()).log()

    def __call__(self, outputs: Tensor, target: Tensor) -> Tensor:
        logits, classes = known_classes(outputs, target)
        return cross_entropy(logits + self.adjustment.to(logits), classes, reduction="sum")
