"""w_y · -log p_y with w the effective numbers of examples, inverted (Cui et al., 2019)."""

from unroll.config.losses.class_balanced import Settings
from unroll.models.loss import Frequencies
from unroll.models.losses._weighted import WeightedLoss, effective


class Loss(WeightedLoss):
    def __init__(self, settings: Settings, frequencies: Frequencies) -> None:
        super().__init__(settings, frequencies)
        self.weights = effective(settings.beta, self.counts)
