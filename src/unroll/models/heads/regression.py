"""A vector of real numbers."""

from torch import Tensor

from unroll.config.heads.regression import Settings
from unroll.models.head import LinearHead, Sizes
from unroll.models.loss import make_real_loss


class Head(LinearHead):
    """What is predicted is the mean or the median, as the loss has it."""

    def __init__(self, settings: Settings, sizes: Sizes) -> None:
        self._criterion = make_real_loss(settings.loss, [0.5])
        self._shape = (sizes.size, self._criterion.parameters)
        super().__init__(settings, sizes, sizes.size * self._criterion.parameters)

    def loss(self, outputs: Tensor, target: Tensor) -> Tensor:
        """target (…, F)."""
        return self._criterion(self._split(outputs), target) / target.shape[-1]

    def predict(self, outputs: Tensor) -> Tensor:
        """(…, F)."""
        return self._criterion.predict(self._split(outputs))[..., 0]

    def _split(self, outputs: Tensor) -> Tensor:
        """(…, F · parameters) → (…, F, parameters)."""
        return outputs.view(*outputs.shape[:-1], *self._shape)
