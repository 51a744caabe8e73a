"""Several steps as one, and several series side by side as lanes of their own (SegRNN; Lin et al., 2023)."""

import torch
from torch import Tensor, nn

from unroll.base.errors import UserError
from unroll.config.encoder import SegmentSettings
from unroll.models.dropout import Dropout


class Segments(nn.Module):
    """x (T, B, E) of T steps → (T / K, B · C, size): K steps are one, and each of C channels is a lane, or all are one.

    Numbers first … first + width of a step are those of the channels, C for each of their features.
    """

    def __init__(self, settings: SegmentSettings, name: str, read: int, first: int, width: int, series: int,
                 context: int) -> None:
        """`read`: E; `series`: how many there are; `context`: T."""
        super().__init__()
        self.steps, self.channels = settings.steps, series if settings.channels == "shared" else 1
        if context % self.steps:
            raise UserError("conflict", f"model.inputs.{name}.steps", f"a context of {context} steps has no whole "
                            f"number of segments of {self.steps}. Choose a divisor of data.forecast.context.")
        self._own = slice(first, first + width)
        each = read - width + width // self.channels
        self.size = settings.size
        self.projection = nn.Linear(self.steps * each, settings.size)

    def forward(self, x: Tensor) -> Tensor:
        steps, lanes, _ = x.shape
        if self.channels > 1:
            own = x[..., self._own].view(steps, lanes, -1, self.channels).transpose(2, 3)       # (T, B, C, ·)
            others = torch.cat([x[..., : self._own.start], x[..., self._own.stop :]], dim=-1)
            x = torch.cat([own, others[:, :, None].expand(-1, -1, self.channels, -1)], dim=-1).flatten(1, 2)
        segments = x.view(steps // self.steps, self.steps, *x.shape[1:]).transpose(1, 2).flatten(2)
        return torch.relu(self.projection(segments))

    def lengths(self, lengths: Tensor | None) -> Tensor | None:
        """Steps (B,) → segments (B · C,)."""
        return None if lengths is None else (lengths // self.steps).repeat_interleave(self.channels)

    def dropout(self, dropout: Dropout) -> Dropout:
        """The same of lanes with all their channels: masks know lanes."""
        if self.channels == 1:
            return dropout

        def dropped(x: Tensor, probability: float) -> Tensor:
            together = x.view(len(x), -1, self.channels * x.shape[-1])
            return dropout(together, probability).view_as(x)

        return dropped
