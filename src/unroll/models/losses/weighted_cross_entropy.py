"""w_y · -log p_y with w ∝ n^-power, times a factor of each class's own."""

import torch

from unroll.base.errors import UserError, nearest
from unroll.config.losses.weighted_cross_entropy import Settings
from unroll.models.loss import Frequencies
from unroll.models.losses._weighted import WeightedLoss, normalised


class Loss(WeightedLoss):
    def __init__(self, settings: Settings, frequencies: Frequencies) -> None:
        super().__init__(settings, frequencies)
        for name in settings.weights:
            if name not in frequencies.names:
                raise UserError("unknown-class", "loss.weights", f"no class {name!r}; "
                                f"{nearest(name, frequencies.names)}")
        own = torch.tensor([settings.weights.get(name, 1.0) for name in frequencies.names], dtype=torch.float64)
        self.weights = normalised(own * self.counts**-settings.power, self.counts)
