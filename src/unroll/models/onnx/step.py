"""A network as a step file, an ONNX graph that reads on from a state: what generates without PyTorch.

Inputs: each field (T, B) or (T, B, F), `lengths` (B,), and the state, whose second axis are the lanes. Outputs: of each
head what it says after a lane's last step, (B, ·) before any softmax, and the state there.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import Linear

from unroll.config.model import RNNConfig
from unroll.models.core import Layer
from unroll.models.heads import Head, NextTokenHead
from unroll.models.inputs import RealInput, TokenInput
from unroll.models.network import Network
from unroll.models.onnx.graph import FLOAT, INT32, INT64, MICROSOFT, Graph
from unroll.models.windows import CausalLayer

NAMES = {"lstm": "LSTM", "gru": "GRU", "rnn": "RNN"}
ORDER = {"lstm": (0, 3, 1, 2), "gru": (1, 0, 2), "rnn": (0,)}       # of the gates: iofg, zrn
PARTS = {"lstm": ("h", "c"), "gru": ("h",), "rnn": ("h",)}
ACTIVATIONS = {"tanh": "Tanh", "relu": "Relu", "sigmoid": "Sigmoid", "identity": "Affine"}


def step_graph(network: Network, int8: bool = False) -> bytes:
    """The file; the same network is the same bytes.

    Of a network that reads forwards alone, and whose heads say something after every step. With `int8` each row of the
    matrices is whole numbers from -64 to 64 and a scale, and what they are multiplied by is quantised when it comes
    (Jacob et al., 2018); of LSTMs alone, ONNX Runtime has no such kernel for other cells.
    """
    graph = Graph(int8)
    x = graph.concatenated([_input(graph, name, layer) for name, layer in network.inputs.items()])       # (T, B, E)
    graph.input("lengths", INT32, ["B"])
    last = ""
    for depth, layer in enumerate(network.core.layers):
        if isinstance(layer, Layer):
            x, last = _recurrent(graph, f"core.layers.{depth}", layer, x)
        else:
            assert isinstance(layer, CausalLayer)
            x, last = _causal(graph, f"core.layers.{depth}", layer, x)
    for name in network.heads:
        _head(graph, f"heads.{name}", network.head(name), last)
    content: bytes = graph.model().SerializeToString(deterministic=True)
    return content


def _input(graph: Graph, name: str, layer: Any) -> str:
    """(T, B) or (T, B, F) → (T, B, E)."""
    if isinstance(layer, TokenInput):
        field = graph.input(name, INT64, ["T", "B"])
        return graph.node("Gather", graph.weight(f"inputs.{name}.embedding", layer.embedding.weight), field)
    assert isinstance(layer, RealInput)
    if isinstance(layer.projection, Linear):
        field = graph.input(name, FLOAT, ["T", "B", layer.projection.in_features])
        product = graph.node("MatMul", field, graph.weight(f"inputs.{name}.weight", layer.projection.weight.T))
        return graph.node("Add", product, graph.weight(f"inputs.{name}.bias", layer.projection.bias))
    return graph.input(name, FLOAT, ["T", "B", layer.size])


def _recurrent(graph: Graph, name: str, layer: Layer, x: str) -> tuple[str, str]:
    """x (T, B, E) → the outputs (T, B, H) and the last of them (B, H)."""
    size, kind, weights = layer.config.hidden_size, layer.config.kind, layer.weights
    ih, hh, *biases = (_ordered(each, kind) for each in weights)
    bias = graph.weight(f"{name}.bias", torch.cat(biases)[None])
    how: dict[str, Any] = {"hidden_size": size}
    if isinstance(layer.config, RNNConfig):
        how["activations"] = [ACTIVATIONS[layer.config.nonlinearity]]
        if layer.config.nonlinearity == "identity":
            how |= {"activation_alpha": [1.0], "activation_beta": [0.0]}
    if kind == "gru":
        how["linear_before_reset"] = 1
    before = [graph.input(f"state.{name}.{part}", FLOAT, [1, "B", size]) for part in PARTS[kind]]
    after = [graph.output(f"next.{name}.{part}", [1, "B", size]) for part in PARTS[kind]]
    if graph.int8:
        assert kind == "lstm"
        (w, *w_scale), (r, *r_scale) = (graph.quantised(f"{name}.{part}", matrix, lead=1)
                                        for part, matrix in (("weight_ih", ih), ("weight_hh", hh)))
        y = graph.node("DynamicQuantizeLSTM", x, w, r, bias, "lengths", *before, "", *w_scale, *r_scale, also=after,
                      domain=MICROSOFT, **how)
    else:
        w, r = graph.weight(f"{name}.weight_ih", ih[None]), graph.weight(f"{name}.weight_hh", hh[None])
        y = graph.node(NAMES[kind], x, w, r, bias, "lengths", *before, also=after, **how)     # (T, 1, B, H)
    x = graph.node("Squeeze", y, graph.one())
    return x, graph.node("Squeeze", after[0], graph.zero())


def _ordered(weight: Tensor, kind: str) -> Tensor:
    """Gates in ONNX's order."""
    gates = weight.chunk(len(ORDER[kind]))
    return torch.cat([gates[place] for place in ORDER[kind]])


def _causal(graph: Graph, name: str, layer: CausalLayer, x: str) -> tuple[str, str]:
    """x (T, B, E) → the outputs (T, B, H) and each lane's last one (B, H)."""
    seen = x
    if layer.before:
        shape: list[int | str] = [layer.before, "B", layer.input_size]
        seen = graph.node("Concat", graph.input(f"state.{name}", FLOAT, shape), x, axis=0)
        lanes = graph.node("Transpose", seen, perm=[1, 0, 2])                    # (B, before + T, E)
        steps = graph.weight(f"{name}.steps", np.arange(layer.before).reshape(1, -1, 1))
        lengths = graph.node("Cast", "lengths", to=INT64)
        ends = graph.node("Unsqueeze", lengths, graph.weight("one and two", np.array([1, 2])))
        kept = graph.node("GatherND", lanes, graph.node("Add", ends, steps), batch_dims=1)    # (B, before, E)
        graph.node("Transpose", kept, perm=[1, 0, 2], also=[graph.output(f"next.{name}", shape)], outputs=0)
    wide = graph.node("Transpose", seen, perm=[1, 2, 0])
    y = graph.node("Relu", graph.node("Conv", wide, graph.weight(f"{name}.weight", layer.weight),
                                    graph.weight(f"{name}.bias", layer.bias), dilations=[layer.dilation]))  # (B, H, T)
    place = graph.node("Sub", graph.node("Cast", "lengths", to=INT64), graph.one())
    last = graph.node("GatherND", graph.node("Transpose", y, perm=[0, 2, 1]),
                     graph.node("Unsqueeze", place, graph.one()), batch_dims=1)
    return graph.node("Transpose", y, perm=[2, 0, 1]), last


def _head(graph: Graph, name: str, head: Head, last: str) -> None:
    """last (B, H) → (B, ·)."""
    tied_to = head.tied_to if isinstance(head, NextTokenHead) else None
    if tied_to is not None and isinstance(head.projection, Linear):
        last = graph.node("Gemm", last, graph.weight(f"{name}.projection", head.projection.weight), transB=1)
    layer = head if isinstance(head, NextTokenHead) else head.output
    bias, output = graph.weight(f"{name}.bias", layer.bias), graph.output(name, ["B", layer.bias.shape[0]])
    matrix = layer.weight if tied_to is None else tied_to.embedding.weight
    if graph.int8:
        graph.node("DynamicQuantizeMatMul", last, *graph.quantised(f"{name}.weight", matrix), bias, also=[output],
                   outputs=0, domain=MICROSOFT)
    else:
        graph.node("Gemm", last, graph.weight(f"{name}.weight", matrix), bias, transB=1, also=[output], outputs=0)
