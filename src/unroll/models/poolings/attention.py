"""Attention to single steps (Bahdanau et al., 2015)."""

import numpy as np
import torch
from torch import Tensor, nn

from unroll.config.pooling import PoolingSettings
from unroll.models.onnx.graph import Graph
from unroll.models.pooling import BasePooling, valid, valid_onnx


class Pooling(BasePooling):
    """Σ_t a_t h_t with a = softmax over valid steps of v · tanh(W h_t + b)."""

    def __init__(self, settings: PoolingSettings, features: int, directions: int) -> None:
        super().__init__(settings, features, directions)
        self.score = nn.Sequential(nn.Linear(features, features), nn.Tanh(), nn.Linear(features, 1, bias=False))

    def onnx(self, graph: Graph, name: str, hidden: str, lengths: str) -> str:
        weight, v = (graph.weight(f"{name}.score.{part}", self.score.get_parameter(part).T)
                     for part in ("0.weight", "2.weight"))
        bias = graph.weight(f"{name}.score.0.bias", self.score.get_parameter("0.bias"))
        hot = graph.node("Tanh", graph.node("Add", graph.node("MatMul", hidden, weight), bias))
        scores = graph.node("MatMul", hot, v)                                                   # (T, B, 1)
        never = graph.weight("minus infinity", np.array(-np.inf, np.float32))
        weights = graph.node("Softmax", graph.node("Where", valid_onnx(graph, hidden, lengths), scores, never), axis=0)
        return graph.node("ReduceSum", graph.node("Mul", weights, hidden), graph.zero(), keepdims=0)

    def pool(self, hidden: Tensor, lengths: Tensor) -> Tensor:
        scores: Tensor = self.score(hidden)                                                     # (T, B, 1)
        return (scores.masked_fill(~valid(hidden, lengths), -torch.inf).softmax(dim=0) * hidden).sum(dim=0)
