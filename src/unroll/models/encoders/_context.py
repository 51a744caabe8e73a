"""Another sequence beside the one that the core reads, with a length of its own, as one vector."""

from collections.abc import Mapping, Sequence

import numpy as np
from torch import Tensor

from unroll.config.encoder import ContextSettings
from unroll.data.batches import LENGTHS
from unroll.data.spec import InputSpec
from unroll.models.core import Core
from unroll.models.dropout import Dropout
from unroll.models.encoder import BaseEncoder
from unroll.models.onnx.graph import INT32, INT64, Graph
from unroll.models.onnx.inner import Inner
from unroll.models.pooling import make_pooling


class ContextEncoder(BaseEncoder):
    """A vector for each step, which `steps` makes; a core that reads them, where there is one; a pooling."""

    def __init__(self, settings: ContextSettings, steps: BaseEncoder, field: InputSpec) -> None:
        super().__init__(settings, steps.size)
        self.steps = steps
        assert field.longest is not None
        self.core = None if settings.core is None else Core(settings.core, steps.size, field.longest)
        if self.core is not None:
            self.size = self.core.size
        self.pool = make_pooling(settings.pooling, self.size, 1 if self.core is None else self.core.directions)

    def forward(self, values: Tensor, dropout: Dropout, lengths: Tensor | None = None) -> Tensor:
        """values (T', B) or (T', B, F), of which the first `lengths` (B,) steps are read → (1, B, E)."""
        x = self.steps(values, dropout)
        if lengths is None:
            lengths = x.new_full(x.shape[1:2], len(x)).long()
        if self.core is not None:
            x, _ = self.core(x, self.core.start(x.shape[1]), dropout, lengths)
        pooled = self.pool(x, lengths).masked_fill((lengths == 0)[:, None], 0)
        return dropout(pooled[None], self.dropout)

    def whole(self, inputs: Mapping[str, Tensor], name: str, dropout: Dropout) -> Tensor:
        vectors: Tensor = self(self.values(inputs[name]), dropout, inputs[LENGTHS.format(name=name)])[0]
        return vectors

    @property
    def has_onnx(self) -> bool:
        return super().has_onnx and (self.core is None or (self.core.directions == 1 and self.core.has_onnx))

    def onnx(self, graph: Graph, name: str, values: str, axes: Sequence[str]) -> str:
        """The lengths (B,) become an input, too."""
        x = self.steps.onnx(graph, name, values, [f"T.{name}", *axes])
        lengths = graph.input(LENGTHS.format(name=values), INT32, axes)
        read = graph.node("Max", lengths, graph.weight("at least", np.array([1], np.int32)))
        if self.core is not None:
            for depth, layer in enumerate(self.core.layers):
                inner = Inner(graph, read, x)
                x, _ = layer.onnx(inner, f"inputs.{name}.core.layers.{depth}", x)      # type: ignore[operator]
        pooled = self.pool.onnx(graph, f"inputs.{name}.pool", x, graph.node("Cast", read, to=INT64))
        none = graph.weight("no number", np.array(0, np.float32))
        empty = graph.node("Unsqueeze", graph.node("Less", lengths, graph.weight("at least", np.array([1], np.int32))),
                           graph.one())
        return graph.node("Where", empty, none, pooled)
