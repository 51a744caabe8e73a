"""The largest value of each unit over valid steps."""

import numpy as np
import torch
from torch import Tensor

from unroll.models.onnx.graph import Graph
from unroll.models.pooling import BasePooling, valid, valid_onnx


class Pooling(BasePooling):
    def onnx(self, graph: Graph, name: str, hidden: str, lengths: str) -> str:
        never = graph.weight("minus infinity", np.array(-np.inf, np.float32))
        return graph.node("ReduceMax", graph.node("Where", valid_onnx(graph, hidden, lengths), hidden, never), axes=[0],
                          keepdims=0)

    def pool(self, hidden: Tensor, lengths: Tensor) -> Tensor:
        return hidden.masked_fill(~valid(hidden, lengths), -torch.inf).amax(dim=0)
