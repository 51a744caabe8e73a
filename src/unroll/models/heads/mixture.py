"""-log Σ_k π_k Π_f N(y_f; μ_kf, σ_kf): the components have diagonal covariances (Bishop, 1994; Graves, 2013)."""

import torch
from torch import Tensor
from torch.nn.functional import softplus

from unroll.config.heads.mixture import Settings
from unroll.config.loss import DEVIATION_SHIFT, LEAST_DEVIATION
from unroll.models.head import LinearHead, Sizes
from unroll.models.loss import full


class Head(LinearHead):
    def __init__(self, settings: Settings, sizes: Sizes) -> None:
        self._count, self._size = settings.components, sizes.size
        super().__init__(settings, sizes, self._count * (1 + 2 * self._size))
        spread = torch.special.ndtri((torch.arange(self._count) + 0.5) / self._count)
        with torch.no_grad():       # the start is apart, as the quantiles of what is scaled to deviation 1
            self.output.bias[self._count :][: self._count * self._size] = spread.repeat_interleave(self._size)

    def loss(self, outputs: Tensor, target: Tensor) -> Tensor:
        """target (…, F), of which what is not known has no part in the likelihood."""
        some = ~target.isnan().all(dim=-1)
        target = target[some][..., None, :]                                             # (n, 1, F)
        logits, mean, deviation = self.split(full(outputs)[some])
        z = (target.nan_to_num() - mean) / deviation                                    # (n, K, F)
        nats = 0.5 * z**2 + deviation.log() + 0.9189385332046727                        # ½ log 2π
        of_each = torch.where(target.isnan(), 0, nats).sum(dim=-1)
        return -(logits.log_softmax(dim=-1) - of_each).logsumexp(dim=-1).sum() / self._size

    def predict(self, outputs: Tensor) -> Tensor:
        """(…, F): the mean."""
        logits, mean, _ = self.split(full(outputs))
        return (logits.softmax(dim=-1)[..., None] * mean).sum(dim=-2).to(outputs.dtype)

    def split(self, outputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(…, K · (1 + 2 F)) → logits (…, K), means and deviations (…, K, F)."""
        logits, rest = outputs[..., : self._count], outputs[..., self._count :]
        mean, spread = rest.reshape(*rest.shape[:-1], 2, self._count, self._size).unbind(dim=-3)
        return logits, mean, softplus(spread + DEVIATION_SHIFT) + LEAST_DEVIATION
