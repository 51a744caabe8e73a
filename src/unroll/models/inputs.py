"""Inputs: what a step brings, as a vector."""

import torch
from torch import Tensor, nn

from unroll.config.model import EmbeddingConfig, InputConfig, RealConfig
from unroll.models.dropout import Dropout


class TokenInput(nn.Module):
    def __init__(self, config: EmbeddingConfig, vocabulary: int) -> None:
        super().__init__()
        self.dropout, self.size = config.dropout, config.size
        self.embedding = nn.Embedding(vocabulary, config.size)
        nn.init.normal_(self.embedding.weight, std=config.size**-0.5)

    def forward(self, tokens: Tensor, dropout: Dropout) -> Tensor:
        return dropout(self.embedding(tokens), self.dropout)                # (T, B, E)


class RealInput(nn.Module):
    """The vectors themselves, or a linear layer of them."""

    def __init__(self, config: RealConfig, features: int) -> None:
        super().__init__()
        self.dropout, self.size = config.dropout, config.size or features
        self.projection = nn.Identity() if config.size is None else nn.Linear(features, config.size)

    def forward(self, values: Tensor, dropout: Dropout) -> Tensor:
        return dropout(self.projection(values), self.dropout)               # (T, B, E)


def make_input(config: InputConfig, size: int) -> TokenInput | RealInput:
    return TokenInput(config, size) if isinstance(config, EmbeddingConfig) else RealInput(config, size)


def concatenate(parts: list[Tensor]) -> Tensor:
    return parts[0] if len(parts) == 1 else torch.cat(parts, dim=-1)
