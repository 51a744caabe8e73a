"""½z² + log σ + ½ log 2π with z = (y_true - μ) / σ (Nix & Weigend, 1994)."""

import torch
from torch import Tensor
from torch.nn.functional import softplus

from unroll.config.loss import DEVIATION_SHIFT, LEAST_DEVIATION
from unroll.models.loss import BaseRealLoss, full


class Loss(BaseRealLoss):
    parameters = 2

    def __call__(self, outputs: Tensor, target: Tensor) -> Tensor:
        known = ~target.isnan()
        mean, deviation = mean_and_deviation(outputs)
        z = (target - mean)[known] / deviation[known]
        return (0.5 * z**2 + deviation[known].log() + 0.9189385332046727).sum()         # ½ log 2π

    def predict(self, outputs: Tensor) -> Tensor:
        mean, deviation = mean_and_deviation(outputs)
        away: Tensor = torch.special.ndtri(self.levels.double()).to(mean)       # in deviations, at each level
        return mean[..., None] + deviation[..., None] * away


def mean_and_deviation(outputs: Tensor) -> tuple[Tensor, Tensor]:
    """(…, 2) → (…) both; outputs of zero are the standard normal distribution."""
    mean, spread = full(outputs).unbind(dim=-1)
    return mean, softplus(spread + DEVIATION_SHIFT) + LEAST_DEVIATION
