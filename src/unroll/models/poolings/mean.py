"""The mean over valid steps."""

import numpy as np
from torch import Tensor

from unroll.models.onnx.graph import FLOAT, Graph
from unroll.models.pooling import BasePooling, valid, valid_onnx


class Pooling(BasePooling):
    def onnx(self, graph: Graph, name: str, hidden: str, lengths: str) -> str:
        none = graph.weight("no number", np.array(0, np.float32))
        kept = graph.node("Where", valid_onnx(graph, hidden, lengths), hidden, none)
        count = graph.node("Unsqueeze", graph.node("Cast", lengths, to=FLOAT), graph.one())
        return graph.node("Div", graph.node("ReduceSum", kept, graph.zero(), keepdims=0), count)

    def pool(self, hidden: Tensor, lengths: Tensor) -> Tensor:
        return (hidden * valid(hidden, lengths)).sum(dim=0) / lengths[:, None]
