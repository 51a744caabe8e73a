"""log Γ(ν/2) - log Γ((ν+1)/2) + ½ log(νπ) + log σ + ½(ν+1) log(1 + z²/ν) with z = (y_true - μ) / σ."""

import torch
from scipy.special import stdtrit
from torch import Tensor
from torch.nn.functional import softplus

from unroll.config.loss import DEVIATION_SHIFT, LEAST_DEVIATION
from unroll.models.loss import BaseRealLoss, full

LEAST_FREEDOM = 2.0     # degrees of freedom, above which there is a variance
FREEDOM_SHIFT = 4.0     # outputs of zero have about six, a little heavier than the normal distribution


class Loss(BaseRealLoss):
    parameters = 3

    def __call__(self, outputs: Tensor, target: Tensor) -> Tensor:
        known = ~target.isnan()
        mean, scale, freedom = (part[known] for part in parameters_of(outputs))
        z = (target[known] - mean) / scale
        nats = (torch.lgamma(freedom / 2) - torch.lgamma((freedom + 1) / 2) + 0.5 * (freedom * torch.pi).log()
                + scale.log() + 0.5 * (freedom + 1) * torch.log1p(z**2 / freedom))
        return nats.sum()

    def predict(self, outputs: Tensor) -> Tensor:
        mean, scale, freedom = parameters_of(outputs)
        degrees = freedom.detach().double().cpu()[..., None].numpy()
        away = stdtrit(degrees, self.levels.double().numpy())       # in scales, at each level
        return mean[..., None] + scale[..., None] * torch.as_tensor(away).to(mean)


def parameters_of(outputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(…, 3) → (…) each: mean, scale and degrees of freedom."""
    mean, spread, tail = full(outputs).unbind(dim=-1)
    return mean, softplus(spread + DEVIATION_SHIFT) + LEAST_DEVIATION, softplus(tail + FREEDOM_SHIFT) + LEAST_FREEDOM
