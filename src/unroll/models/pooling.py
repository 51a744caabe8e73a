"""One vector of a whole sequence: over its valid steps alone."""

import torch
from torch import Tensor, nn

from unroll.config.model import Pooling


class Pool(nn.Module):
    """`attention` weighs steps by v · tanh(W h_t + b) (Bahdanau et al., 2015)."""

    def __init__(self, kind: Pooling, features: int, directions: int) -> None:
        super().__init__()
        self.kind, self._directions = kind, directions
        if kind == "attention":
            self.score = nn.Sequential(nn.Linear(features, features), nn.Tanh(), nn.Linear(features, 1, bias=False))

    def forward(self, hidden: Tensor, lengths: Tensor | None) -> Tensor:
        """hidden (T, B, H), lengths (B,), 0 counted as 1 → (B, H)."""
        steps = hidden.shape[0]
        if lengths is None:
            lengths = torch.full(hidden.shape[1:2], steps, device=hidden.device)
        lengths = lengths.clamp(min=1)
        if self.kind == "last":
            return self._last(hidden, lengths)
        valid = (torch.arange(steps, device=hidden.device)[:, None] < lengths)[..., None]       # (T, B, 1)
        if self.kind == "mean":
            return (hidden * valid).sum(dim=0) / lengths[:, None]
        if self.kind == "max":
            return hidden.masked_fill(~valid, -torch.inf).amax(dim=0)
        scores: Tensor = self.score(hidden)                                                     # (T, B, 1)
        return (scores.masked_fill(~valid, -torch.inf).softmax(dim=0) * hidden).sum(dim=0)

    def _last(self, hidden: Tensor, lengths: Tensor) -> Tensor:
        """What each direction has read last: the final step, or, from the end on, the first."""
        last = hidden.gather(0, (lengths - 1)[None, :, None].expand(1, -1, hidden.shape[-1]))[0]
        if self._directions == 1:
            return last
        half = hidden.shape[-1] // 2
        return torch.cat([last[:, :half], hidden[0, :, half:]], dim=-1)
