"""y_t = W_hy h_t + b_y, the logits of the next symbol."""

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from unroll.config.heads.next_token import Settings
from unroll.models.dropout import Dropout, no_dropout
from unroll.models.encoders import embedding
from unroll.models.head import BaseHead, Sizes, write_linear
from unroll.models.losses.cross_entropy import nats
from unroll.models.onnx.graph import Graph


class Head(BaseHead):
    """Tied, W_hy is the input's embedding, after a projection where the sizes differ."""

    def __init__(self, settings: Settings, sizes: Sizes) -> None:
        super().__init__(settings)
        self.bias = nn.Parameter(torch.zeros(sizes.size))
        # in a list, so that the encoder's weight is not saved a second time as this head's
        self._tied: list[embedding.Encoder] = []
        if settings.tied:
            assert isinstance(sizes.encoder, embedding.Encoder)     # what reads symbols is one
            self._tied.append(sizes.encoder)
            size = sizes.encoder.size
            self.projection = nn.Identity() if size == sizes.features else nn.Linear(sizes.features, size, bias=False)
        else:
            self.weight = nn.Parameter(torch.empty(sizes.size, sizes.features))
            nn.init.xavier_uniform_(self.weight)

    @property
    def table(self) -> Tensor:
        """W_hy, (V, H) or (V, E) tied."""
        return self._tied[0].embedding.weight if self._tied else self.weight

    def forward(self, hidden: Tensor, lengths: Tensor | None = None, dropout: Dropout = no_dropout) -> Tensor:
        hidden = dropout(hidden, self.dropout)
        return linear(self.projection(hidden) if self._tied else hidden, self.table, self.bias)

    def loss(self, outputs: Tensor, target: Tensor) -> Tensor:
        return nats(outputs, target)

    def predict(self, outputs: Tensor) -> Tensor:
        """(…, V) probabilities."""
        return outputs.softmax(dim=-1)

    def onnx(self, graph: Graph, name: str, last: str) -> None:
        if self._tied and isinstance(self.projection, nn.Linear):
            last = graph.node("Gemm", last, graph.weight(f"{name}.projection", self.projection.weight), transB=1)
        write_linear(graph, name, last, self.table, self.bias)
