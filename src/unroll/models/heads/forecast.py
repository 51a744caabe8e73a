"""Quantiles of the next steps of a series."""

import numpy as np
import torch
from torch import Tensor, nn

from unroll.config.heads.forecast import Settings
from unroll.models.conformal import Values, calibration
from unroll.models.decoder import Decoder
from unroll.models.dropout import Dropout, no_dropout
from unroll.models.head import LinearHead, Sizes
from unroll.models.loss import make_real_loss


class Head(LinearHead):
    """A linear layer gives all steps at once, and reads what is known of each with the same layers; or a decoder does.

    Where series are lanes of their own, each has a vector, which is added to its hidden units.
    """

    reads_ahead = True

    def __init__(self, settings: Settings, sizes: Sizes) -> None:
        self._levels = settings.levels
        self._criterion = make_real_loss(settings.loss, settings.levels, sizes.scale)
        self._shape = (sizes.horizon, sizes.size, self._criterion.parameters)
        self._channels = sizes.channels
        made = sizes.size // sizes.channels * self._criterion.parameters        # numbers of a step
        super().__init__(settings, sizes, sizes.horizon * made)
        with torch.no_grad():
            self.output.weight.mul_(0.1)        # the start is close to the seasonal naive forecast
        self.channel: nn.Embedding | None = None
        if sizes.channels > 1:
            self.channel = nn.Embedding(sizes.channels, sizes.features)
            nn.init.normal_(self.channel.weight, std=sizes.features**-0.5)
        self.decoder = self.ahead = None
        if settings.decoder is not None:
            del self.output
            self.decoder = Decoder(settings.decoder, sizes.features, sizes.horizon, sizes.known_ahead, made)
        elif sizes.known_ahead:
            last = nn.Linear(sizes.features, made)
            self.ahead = nn.Sequential(nn.Linear(sizes.features + sizes.known_ahead, sizes.features), nn.ReLU(), last)
            with torch.no_grad():
                last.weight.mul_(0.1)

    def forward(self, hidden: Tensor, lengths: Tensor | None = None, dropout: Dropout = no_dropout,
                ahead: Tensor | None = None) -> Tensor:
        """`ahead` (H, B, ·): what is known of the steps that are forecast."""
        if self.decoder is None and self.ahead is None and self.channel is None:
            return super().forward(hidden, lengths, dropout)
        hidden = hidden if self.decoder is not None else dropout(hidden, self.dropout)
        if self.pool is not None and hidden.dim() == 3:
            hidden = self.pool(hidden, lengths)                                                 # (B · C, F)
        lane = None if self.channel is None else self.channel.weight.repeat(len(hidden) // self._channels, 1)
        if ahead is not None:
            ahead = ahead.repeat_interleave(self._channels, dim=1)
        if self.decoder is not None:
            return self._joined(self.decoder(hidden, dropout, self.dropout, ahead, lane))
        hidden = hidden if lane is None else hidden + lane
        outputs: Tensor = self.output(hidden)
        if self.ahead is not None and ahead is not None:
            each: Tensor = self.ahead(torch.cat([hidden.expand(len(ahead), -1, -1), ahead], dim=-1))
            outputs = outputs + each.transpose(0, 1).flatten(1)
        return self._joined(outputs)

    def _joined(self, outputs: Tensor) -> Tensor:
        """(B · C, H · parameters) of channels that are lanes → (B, H · D · parameters)."""
        if self.channel is None:
            return outputs
        return outputs.view(-1, self._channels, self._shape[0], self._shape[2]).transpose(1, 2).flatten(1)

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
