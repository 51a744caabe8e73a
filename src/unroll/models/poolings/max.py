"""The largest value of each unit over valid steps."""

import torch
from torch import Tensor

from unroll.models.pooling import BasePooling, valid


class Pooling(BasePooling):
    def pool(self, hidden: Tensor, lengths: Tensor) -> Tensor:
        return hidden.masked_fill(~valid(hidden, lengths), -torch.inf).amax(dim=0)
