"""A vector for each symbol."""

from collections.abc import Sequence

from torch import Tensor, nn

from unroll.config.encoders.embedding import Settings
from unroll.data.spec import InputSpec
from unroll.models.dropout import Dropout
from unroll.models.encoder import BaseEncoder
from unroll.models.onnx.graph import INT64, Graph


class Encoder(BaseEncoder):
    def __init__(self, settings: Settings, field: InputSpec) -> None:
        super().__init__(settings, settings.size)
        self.embedding = nn.Embedding(field.size, settings.size)
        nn.init.normal_(self.embedding.weight, std=settings.size**-0.5)

    def forward(self, tokens: Tensor, dropout: Dropout) -> Tensor:
        return dropout(self.embedding(tokens), self.dropout)

    def onnx(self, graph: Graph, name: str, values: str, axes: Sequence[str]) -> str:
        symbols = graph.input(values, INT64, axes)
        return graph.node("Gather", graph.weight(f"inputs.{name}.embedding", self.embedding.weight), symbols)
