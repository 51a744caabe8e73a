"""log Γ(r) + log y! - log Γ(y + r) - r log(r / (r + μ)) - y log(μ / (r + μ)) with r = 1/α."""

import torch
from torch import Tensor
from torch.nn.functional import softplus

from unroll.models.loss import BaseCountLoss, full

LEAST_DISPERSION = 1e-3     # or Γ(1/α) would have no digits left
FARTHEST = 20.0             # of a logarithm of the mean from that of training


class Loss(BaseCountLoss):
    """Outputs of zero are the mean of training and α = 0.7."""

    parameters = 2

    def __call__(self, outputs: Tensor, target: Tensor) -> Tensor:
        known = ~target.isnan()
        mean, dispersion = (part[known] for part in self._parameters(outputs))
        y, r = (target * self.size.to(target))[known].to(mean).round().clamp(min=0), 1 / dispersion
        nats = (torch.lgamma(r) + torch.lgamma(y + 1) - torch.lgamma(y + r)
                + r * torch.log1p(dispersion * mean) - y * (mean.log() - (r + mean).log()))
        total: Tensor = nats.sum()
        return total.to(full(outputs).dtype)

    def predict(self, outputs: Tensor) -> Tensor:
        from scipy.stats import nbinom  # takes half a second to import

        mean, dispersion = (part.detach().cpu()[..., None].numpy() for part in self._parameters(outputs))
        counts = nbinom.ppf(self.levels.double().numpy(), 1 / dispersion, 1 / (1 + dispersion * mean))
        return (torch.as_tensor(counts) / self.size[..., None]).to(full(outputs))

    def _parameters(self, outputs: Tensor) -> tuple[Tensor, Tensor]:
        """(…, 2) → (…) mean and dispersion of the counts, in double precision for the sake of Γ."""
        level, spread = outputs.double().unbind(dim=-1)
        return self.size.to(level) * level.clamp(-FARTHEST, FARTHEST).exp(), softplus(spread) + LEAST_DISPERSION
