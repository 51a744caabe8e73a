"""The mean over valid steps."""

from torch import Tensor

from unroll.models.pooling import BasePooling, valid


class Pooling(BasePooling):
    def pool(self, hidden: Tensor, lengths: Tensor) -> Tensor:
        return (hidden * valid(hidden, lengths)).sum(dim=0) / lengths[:, None]
