"""A logit for each label."""

import torch
from torch import Tensor

from unroll.config.heads.labels import Settings
from unroll.models.head import LinearHead, Sizes
from unroll.models.loss import make_loss


class Head(LinearHead):
    def __init__(self, settings: Settings, sizes: Sizes) -> None:
        super().__init__(settings, sizes, sizes.size)
        self._criterion = make_loss(settings.loss)

    def loss(self, outputs: Tensor, target: Tensor) -> Tensor:
        """The loss of a step is the sum over its labels."""
        return self._criterion(outputs, target)

    def predict(self, outputs: Tensor) -> Tensor:
        """(…, labels) probabilities, independent of one another."""
        return outputs.sigmoid()

    def statistics(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Labels that are on and were predicted to be, and labels that were predicted wrongly."""
        known = ~target.isnan()
        guessed, on = outputs[known] > 0, target[known] > 0
        return torch.stack([(guessed & on).sum(), (guessed ^ on).sum()])

    def measure(self, statistics: Tensor) -> dict[str, float]:
        hits, misses = statistics.tolist()
        return {"frame_accuracy": hits / max(1, hits + misses)}
