"""w_y · -log p_y with w ∝ (1 - β) / (1 - β^n), 1 / the effective number of examples (Cui et al., 2019, equation 2)."""

from unroll.config.losses.class_balanced import Settings
from unroll.models.loss import Frequencies
from unroll.models.losses._weighted import WeightedLoss


class Loss(WeightedLoss):
    """The paper normalises weights to mean 1 over classes, and not over examples as here."""

    def __init__(self, settings: Settings, frequencies: Frequencies) -> None:
        super().__init__(settings, frequencies)
        self.weights = self.normalised((1 - settings.beta) / (1 - settings.beta**self.counts))
