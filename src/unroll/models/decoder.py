"""A recurrent layer that gives the steps of a forecast."""

import torch
from torch import Tensor, nn

from unroll.config.decoder import Decoder as Settings
from unroll.models.dropout import Dropout


class Decoder(nn.Module):
    """A gated recurrent unit whose first state are the core's hidden units, and whose input at each segment of K steps
    is the segment's place, with what is known of its steps; a linear layer gives the K steps of its output.

    Segments follow one another, each from the state of the one before, or all are decoded from the first state, so that
    no error goes from one to the next (Lin et al., 2023).
    """

    def __init__(self, settings: Settings, features: int, horizon: int, known: int, outputs: int) -> None:
        """`known` numbers of each step, and `outputs`."""
        super().__init__()
        self._segment, self._horizon, self._known = settings.segment, horizon, known
        self._parallel = settings.kind == "parallel"
        count = -(-horizon // settings.segment)
        self.place = nn.Parameter(torch.randn(count, features) * features**-0.5)
        self.known = nn.Linear(settings.segment * known, features) if known else None
        self.cell = nn.GRUCell(features, features)
        self.output = nn.Linear(features, settings.segment * outputs)
        with torch.no_grad():
            self.output.weight.mul_(0.1)        # the start is close to what is corrected
            self.output.bias.zero_()

    def forward(self, hidden: Tensor, dropout: Dropout, probability: float, ahead: Tensor | None,
                lane: Tensor | None) -> Tensor:
        """hidden (B, F), `ahead` (H, B, known), `lane` (B, F) what each lane is, → (B, H · outputs)."""
        x = self.place[:, None].expand(-1, len(hidden), -1)                                     # (S, B, F)
        if self.known is not None and ahead is not None:
            x = x + self.known(self._segments(ahead))
        if lane is not None:
            x = x + lane
        states = dropout(self._states(x, hidden), probability)
        segments: Tensor = self.output(states).view(len(x), len(hidden), self._segment, -1).transpose(1, 2)
        return segments.flatten(0, 1)[: self._horizon].transpose(0, 1).flatten(1)               # (H, B, ·) → (B, H · …)

    def _states(self, x: Tensor, hidden: Tensor) -> Tensor:
        if self._parallel:
            before = hidden.expand(len(x), -1, -1).flatten(0, 1)
            every: Tensor = self.cell(x.flatten(0, 1), before)
            return every.view_as(x)
        states = []
        for segment in x:
            hidden = self.cell(segment, hidden)
            states.append(hidden)
        return torch.stack(states)

    def _segments(self, ahead: Tensor) -> Tensor:
        """(H, B, known) → (S, B, K · known), zeros behind the last step."""
        missing = len(self.place) * self._segment - len(ahead)
        padded = torch.cat([ahead, ahead.new_zeros(missing, *ahead.shape[1:])])
        return padded.view(len(self.place), self._segment, *ahead.shape[1:]).transpose(1, 2).flatten(2)
