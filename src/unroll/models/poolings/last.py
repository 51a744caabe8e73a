"""The last step that each direction has read: the final one, and for the backward direction the first."""

import torch
from torch import Tensor

from unroll.models.onnx.graph import Graph
from unroll.models.pooling import BasePooling


class Pooling(BasePooling):
    def onnx(self, graph: Graph, name: str, hidden: str, lengths: str) -> str:
        place = graph.node("Unsqueeze", graph.node("Sub", lengths, graph.one()), graph.one())
        return graph.node("GatherND", graph.node("Transpose", hidden, perm=[1, 0, 2]), place, batch_dims=1)

    def pool(self, hidden: Tensor, lengths: Tensor) -> Tensor:
        last = hidden.gather(0, (lengths - 1)[None, :, None].expand(1, -1, hidden.shape[-1]))[0]
        if self.directions == 1:
            return last
        half = hidden.shape[-1] // 2
        return torch.cat([last[:, :half], hidden[0, :, half:]], dim=-1)
