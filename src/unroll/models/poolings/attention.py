"""Attention to single steps (Bahdanau et al., 2015)."""

import torch
from torch import Tensor, nn

from unroll.config.pooling import PoolingSettings
from unroll.models.pooling import BasePooling, valid


class Pooling(BasePooling):
    """Σ_t a_t h_t with a = softmax over valid steps of v · tanh(W h_t + b)."""

    def __init__(self, settings: PoolingSettings, features: int, directions: int) -> None:
        super().__init__(settings, features, directions)
        self.score = nn.Sequential(nn.Linear(features, features), nn.Tanh(), nn.Linear(features, 1, bias=False))

    def pool(self, hidden: Tensor, lengths: Tensor) -> Tensor:
        scores: Tensor = self.score(hidden)                                                     # (T, B, 1)
        return (scores.masked_fill(~valid(hidden, lengths), -torch.inf).softmax(dim=0) * hidden).sum(dim=0)
