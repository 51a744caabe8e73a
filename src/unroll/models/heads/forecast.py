"""Quantiles of the next steps of a series."""

import numpy as np
import torch
from torch import Tensor

from unroll.config.heads.forecast import Settings
from unroll.models.conformal import Values, calibration
from unroll.models.head import LinearHead, Sizes
from unroll.models.loss import make_real_loss


class Head(LinearHead):
    def __init__(self, settings: Settings, sizes: Sizes) -> None:
        self._levels = settings.levels
        self._criterion = make_real_loss(settings.loss, settings.levels)
        self._shape = (sizes.horizon, sizes.size, self._criterion.parameters)
        super().__init__(settings, sizes, sizes.horizon * sizes.size * self._criterion.parameters)
        with torch.no_grad():
            self.output.weight.mul_(0.1)        # the start is close to the seasonal naive forecast

    def loss(self, outputs: Tensor, target: Tensor) -> Tensor:
        """target (B, H, D): the mean over steps ahead and series."""
        return self._criterion(self._split(outputs), target) / (self._shape[0] * self._shape[1])

    def predict(self, outputs: Tensor) -> Tensor:
        """(B, H, D, levels) quantiles, rising."""
        quantiles = self._criterion.predict(self._split(outputs))
        if self.calibration is None:
            return quantiles
        return self.calibration.applied(quantiles, self._levels.index(0.5))

    def calibrate(self, predicted: Values, target: Values) -> None:
        """predicted (N, H, D, levels), target (N, H, D), NaN where it is unknown."""
        self.calibration = calibration(predicted, target, np.array(self._levels))

    def _split(self, outputs: Tensor) -> Tensor:
        """(B, H · D · parameters) → (B, H, D, parameters)."""
        return outputs.view(*outputs.shape[:-1], *self._shape)
