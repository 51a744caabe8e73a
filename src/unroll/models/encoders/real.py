"""Vectors of real numbers: themselves, or a linear layer of them."""

from collections.abc import Sequence

from torch import Tensor, nn

from unroll.config.encoders import real, static
from unroll.data.spec import InputSpec
from unroll.models.dropout import Dropout
from unroll.models.encoder import BaseEncoder
from unroll.models.onnx.graph import FLOAT, Graph


class Encoder(BaseEncoder):
    def __init__(self, settings: real.Settings | static.Settings, field: InputSpec) -> None:
        super().__init__(settings, settings.size or field.size)
        self.projection = nn.Identity() if settings.size is None else nn.Linear(field.size, settings.size)

    def forward(self, values: Tensor, dropout: Dropout) -> Tensor:
        return dropout(self.projection(values), self.dropout)

    @property
    def keeps_features(self) -> bool:
        return isinstance(self.projection, nn.Identity)

    def onnx(self, graph: Graph, name: str, values: str, axes: Sequence[str]) -> str:
        if not isinstance(self.projection, nn.Linear):
            return graph.input(values, FLOAT, [*axes, self.size])
        vectors = graph.input(values, FLOAT, [*axes, self.projection.in_features])
        product = graph.node("MatMul", vectors, graph.weight(f"inputs.{name}.weight", self.projection.weight.T))
        return graph.node("Add", product, graph.weight(f"inputs.{name}.bias", self.projection.bias))
