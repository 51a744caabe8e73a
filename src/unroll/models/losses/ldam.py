"""-log softmax(s·(z - Δ e_y))_y with margins Δ = C / n_y^¼ (Cao et al., 2019)."""

from torch import Tensor
from torch.nn.functional import cross_entropy

from unroll.config.losses.ldam import Settings
from unroll.models.loss import BaseClassLoss, Frequencies, known_classes
from unroll.models.losses._weighted import effective


class Loss(BaseClassLoss):
    """C is such that the rarest class has the largest margin.

    Outputs are s·z. The paper also normalises the last layer's weights and what it reads, so that z is a cosine; here z
    is not bounded, and margins cost less the larger it grows.
    """

    settings: Settings

    def __init__(self, settings: Settings, frequencies: Frequencies) -> None:
        super().__init__(settings, frequencies)
        self.scale = settings.scale
        self.margins = settings.max_margin * (self.counts.min() / self.counts) ** 0.25

    def __call__(self, outputs: Tensor, target: Tensor) -> Tensor:
        return self._sum(outputs, target, None)

    def in_epoch(self, epoch: int, outputs: Tensor, target: Tensor) -> Tensor:
        reweight = self.settings.reweight
        if reweight is None or epoch < reweight.after:
            return self(outputs, target)
        return self._sum(outputs, target, effective(reweight.beta, self.counts))

    def _sum(self, outputs: Tensor, target: Tensor, weights: Tensor | None) -> Tensor:
        logits, classes = known_classes(outputs, target)
        margins = self.scale * self.margins.to(logits)[classes, None]
        logits = logits.scatter_add(-1, classes[:, None], -margins)
        return cross_entropy(logits, classes, None if weights is None else weights.to(logits), reduction="sum")
