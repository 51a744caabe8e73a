"""What a pooling is: the valid steps of a sequence as one vector."""

from abc import ABC, abstractmethod

import numpy as np
import torch
from torch import Tensor, nn

from unroll.config.pooling import PoolingSettings
from unroll.config.poolings import POOLINGS
from unroll.models.onnx.graph import Graph


class BasePooling(nn.Module, ABC):
    """A kind of pooling has a class `Pooling` derived from this one, and `pool`.

    Shapes: T steps, B lanes, H features, both directions of the core together.
    """

    def __init__(self, settings: PoolingSettings, features: int, directions: int) -> None:
        super().__init__()
        self.settings, self.directions = settings, directions

    def forward(self, hidden: Tensor, lengths: Tensor | None) -> Tensor:
        """hidden (T, B, H) → (B, H); `lengths` (B,), None: all T steps are valid.

        A lane of length 0, which no target reads, counts as one of length 1, so that its gradient is finite.
        """
        if lengths is None:
            lengths = torch.full(hidden.shape[1:2], hidden.shape[0], device=hidden.device)
        return self.pool(hidden, lengths.clamp(min=1))

    @abstractmethod
    def onnx(self, graph: Graph, name: str, hidden: str, lengths: str) -> str:
        """Write the pooling of hidden (T, B, H) with lengths (B,) from 1, whole numbers of 64 bits, → (B, H)."""

    @abstractmethod
    def pool(self, hidden: Tensor, lengths: Tensor) -> Tensor:
        """hidden (T, B, H), lengths (B,) from 1 to T → (B, H)."""


def valid(hidden: Tensor, lengths: Tensor) -> Tensor:
    """(T, B, 1), true before each lane's end."""
    return (torch.arange(hidden.shape[0], device=hidden.device)[:, None] < lengths)[..., None]


def valid_onnx(graph: Graph, hidden: str, lengths: str) -> str:
    """As `valid`."""
    steps = graph.node("Squeeze", graph.node("Shape", hidden, end=1))
    step = graph.node("Range", graph.weight("from zero", np.array(0)), steps, graph.weight("by one", np.array(1)))
    before = graph.node("Less", graph.node("Unsqueeze", step, graph.one()), lengths)        # (T, B)
    return graph.node("Unsqueeze", before, graph.weight("axis two", np.array([2])))


def make_pooling(settings: PoolingSettings, features: int, directions: int) -> BasePooling:
    pooling: BasePooling = POOLINGS.code_of(settings.kind, "Pooling")(settings, features, directions)
    return pooling
