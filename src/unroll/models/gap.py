"""The time between steps, which is an input, as cells read it."""

from typing import NamedTuple

import torch
from torch import Tensor


class Gap(NamedTuple):
    """Which feature of a step is the logarithm of the time since the step before, of mean 0 and divided by this."""

    place: int
    deviation: float

    def elapsed(self, x: Tensor) -> Tensor:
        """x (…, E) → (…, 1), that time by the (geometric) mean of such times."""
        return (self.deviation * x[..., self.place, None]).exp()

    def from_the_end(self, x: Tensor) -> Tensor:
        """x (T, B, E) with the time to the step after in its place, the mean at the last one."""
        own = torch.arange(x.shape[-1], device=x.device) == self.place
        return torch.where(own, torch.cat([x[1:], torch.zeros_like(x[:1])]), x)
