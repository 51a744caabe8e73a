"""What was seen of numbers that may be missing: the last value of each, and how long ago."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from unroll.models.cell import State
from unroll.models.gap import Gap


class Seen(NamedTuple):
    value: Tensor       # (T, B, E) the last value, at this step or before
    known: Tensor       # (T, B, E) whether it is of this step
    age: Tensor         # (T, B, E) steps since then, 0 where it is


def recall(x: Tensor, value: Tensor, age: Tensor, gap: Gap | None = None) -> Seen:
    """x (T, B, E), NaN where a number is missing, after steps that ended with this value and age (B, E).

    With a gap, ages are not in steps but in mean gaps.
    """
    known = ~x.isnan()
    step = torch.arange(len(x), device=x.device)[:, None, None]
    seen = torch.where(known, step, -1).cummax(dim=0).values        # the last step with a number, -1: before all of x
    filled = torch.where(seen < 0, value.to(x), x.nan_to_num().gather(0, seen.clamp(min=0)))
    if gap is None:
        return Seen(filled, known, torch.where(seen < 0, age.to(x) + step + 1, (step - seen).to(x)))
    time = gap.elapsed(x).double().cumsum(dim=0).expand(x.shape)
    since = torch.where(seen < 0, age.double() + time, time - time.gather(0, seen.clamp(min=0)))
    return Seen(filled, known, since.to(x))


class Remember(nn.Module):
    """A layer below the cells. x (T, B, E), NaN where a number is missing → (T, B, E + 2·M).

    A missing number becomes the last one that was seen, 0 before the first: the mean, of scaled numbers. Of the M
    `masked` features, whether they are there (1 or 0) and log(1 + steps since they were) stand behind all others
    (Lipton et al., 2016; Che et al., 2018); with a gap among the features, mean gaps in place of steps.
    """

    def __init__(self, size: int, masked: Sequence[int], gap: Gap | None = None) -> None:
        """`size`: E."""
        super().__init__()
        self._gap = gap
        self.input_size, self.size = size, size + 2 * len(masked)
        self.register_buffer("masked", torch.tensor(masked, dtype=torch.long), persistent=False)
        self.register_buffer("zero", torch.zeros(()), persistent=False)     # of the network's type and device
        self.masked: Tensor
        self.zero: Tensor

    @property
    def state_sizes(self) -> dict[str, tuple[int, ...]]:
        return {"value": (self.input_size,), "age": (self.input_size,)}

    def start(self, lanes: int) -> State:
        return tuple(self.zero.new_zeros(lanes, *shape) for shape in self.state_sizes.values())

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """x (B, E) → (B, E + 2·M), and the next state."""
        y, after = self(x[None], state)
        return y[0], after

    def forward(self, x: Tensor, state: State, lengths: Tensor | None = None) -> tuple[Tensor, State]:
        value, age = state
        seen = recall(x, value, age, self._gap)
        known, age = seen.known[..., self.masked].to(x), seen.age[..., self.masked].log1p()
        return torch.cat([seen.value, known, age], dim=-1), (seen.value[-1], seen.age[-1])
