"""Cross-entropy in which each class has a weight."""

from torch import Tensor
from torch.nn.functional import cross_entropy

from unroll.models.loss import BaseClassLoss, known_classes


class WeightedLoss(BaseClassLoss):
    """Σ w_y · -log p_y; a kind sets `weights` (classes,), whose mean over the training split is 1."""

    weights: Tensor

    def __call__(self, outputs: Tensor, target: Tensor) -> Tensor:
        logits, classes = known_classes(outputs, target)
        return cross_entropy(logits, classes, self.weights.to(logits), reduction="sum")


def normalised(weights: Tensor, counts: Tensor) -> Tensor:
    """Weights (classes,) so that Σ n·w = Σ n, n being the counts (classes,)."""
    return weights * counts.sum() / (counts * weights).sum()


def effective(beta: float, counts: Tensor) -> Tensor:
    """(1 - β) / (1 - β^n), 1 / the effective number of examples (Cui et al., 2019, proposition 1), normalised.

    The paper normalises to mean 1 over classes, and not over examples as here.
    """
    return normalised((1 - beta) / (1 - beta**counts), counts)
