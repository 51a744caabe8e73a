"""Quantiles of the next steps of a series."""

import numpy as np
import torch
from torch import Tensor, nn

from unroll.config.heads.forecast import Settings
from unroll.models.conformal import Values, calibration
from unroll.models.dropout import Dropout, no_dropout
from unroll.models.head import LinearHead, Sizes
from unroll.models.loss import make_real_loss


class Head(LinearHead):
    """A linear layer gives all steps at once; what is known of each is read with the same layers at every one."""

    reads_ahead = True

    def __init__(self, settings: Settings, sizes: Sizes) -> None:
        self._levels = settings.levels
        self._criterion = make_real_loss(settings.loss, settings.levels, sizes.scale)
        self._shape = (sizes.horizon, sizes.size, self._criterion.parameters)
        super().__init__(settings, sizes, sizes.horizon * sizes.size * self._criterion.parameters)
        with torch.no_grad():
            self.output.weight.mul_(0.1)        # the start is close to the seasonal naive forecast
        self.ahead: nn.Sequential | None = None
        if sizes.known_ahead:
            read, made = sizes.features + sizes.known_ahead, sizes.size * self._criterion.parameters
            last = nn.Linear(sizes.features, made)
            self.ahead = nn.Sequential(nn.Linear(read, sizes.features), nn.ReLU(), last)
            with torch.no_grad():
                last.weight.mul_(0.1)

    def forward(self, hidden: Tensor, lengths: Tensor | None = None, dropout: Dropout = no_dropout,
                ahead: Tensor | None = None) -> Tensor:
        """`ahead` (H, B, ·): what is known of the steps that are forecast."""
        if self.ahead is None or ahead is None:
            return super().forward(hidden, lengths, dropout)
        assert self.pool is not None
        hidden = self.pool(dropout(hidden, self.dropout), lengths)                              # (B, H)
        each: Tensor = self.ahead(torch.cat([hidden.expand(len(ahead), -1, -1), ahead], dim=-1))
        outputs: Tensor = self.output(hidden) + each.transpose(0, 1).flatten(1)
        return outputs

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

    def at_levels(self, levels: list[float]) -> None:
        """From now on predict the quantiles at these levels; for a loss that is a distribution's, not calibrated."""
        self._levels, self._criterion.levels = levels, torch.tensor(levels)

    def _split(self, outputs: Tensor) -> Tensor:
        """(B, H · D · parameters) → (B, H, D, parameters)."""
        return outputs.view(*outputs.shape[:-1], *self._shape)
