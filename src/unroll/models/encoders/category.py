"""A vector for each category of each column, side by side."""

from collections.abc import Sequence

import numpy as np
from torch import Tensor, nn

from unroll.config.encoders import category, static_category
from unroll.data.spec import InputSpec
from unroll.models.dropout import Dropout
from unroll.models.encoder import BaseEncoder
from unroll.models.onnx.graph import INT64, Graph


class Encoder(BaseEncoder):
    """Categories of different columns have different numbers, so that one table serves all columns."""

    def __init__(self, settings: category.Settings | static_category.Settings, field: InputSpec) -> None:
        super().__init__(settings, settings.size * field.width)
        self.embedding = nn.Embedding(field.size, settings.size)
        nn.init.normal_(self.embedding.weight, std=settings.size**-0.5)

    def forward(self, values: Tensor, dropout: Dropout) -> Tensor:
        """values (…, K) → (…, K · size)"""
        return dropout(self.embedding(values).flatten(-2), self.dropout)

    def onnx(self, graph: Graph, name: str, values: str, axes: Sequence[str]) -> str:
        rows = graph.node("Gather", graph.weight(f"inputs.{name}.embedding", self.embedding.weight),
                          graph.input(values, INT64, [*axes, self.size // self.embedding.embedding_dim]))
        shape = graph.weight(f"inputs.{name}.shape", np.array([*[0] * len(axes), self.size]))
        return graph.node("Reshape", rows, shape)
