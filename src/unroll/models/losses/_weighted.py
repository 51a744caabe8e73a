"""Cross-entropy in which each class has a weight."""

from torch import Tensor
from torch.nn.functional import cross_entropy

from unroll.models.loss import BaseClassLoss, known_classes


class WeightedLoss(BaseClassLoss):
    """Σ w_y · -log p_y; a kind sets `weights` (classes,), whose mean over the training split is 1."""

    weights: Tensor

    def normalised(self, weights: Tensor) -> Tensor:
        """Weights (classes,) so that Σ n·w = Σ n."""
        return weights * self.counts.sum() / (self.counts * weights).sum()

    def __call__(self, outputs: Tensor, target: Tensor) -> Tensor:
        logits, classes = known_classes(outputs, target)
        return cross_entropy(logits, classes, self.weights.to(logits), reduction="sum")
