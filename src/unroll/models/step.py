"""A network as a step file, an ONNX graph that reads on from a state: what generates without PyTorch.

Inputs: each field (T, B) or (T, B, F), `lengths` (B,), and the state, whose second axis are the lanes. Outputs: of each
head what it says after a lane's last step, (B, ·) before any softmax, and the state there.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper, numpy_helper
from torch import Tensor
from torch.nn import Linear

from unroll.config.model import RNNConfig
from unroll.models.core import Layer
from unroll.models.heads import Head, NextTokenHead
from unroll.models.inputs import RealInput, TokenInput
from unroll.models.network import Network
from unroll.models.windows import CausalLayer

OPSET, IR = 17, 8       # what ONNX Runtime reads since 1.13
NAMES = {"lstm": "LSTM", "gru": "GRU", "rnn": "RNN"}
ORDER = {"lstm": (0, 3, 1, 2), "gru": (1, 0, 2), "rnn": (0,)}       # of the gates: iofg, zrn
PARTS = {"lstm": ("h", "c"), "gru": ("h",), "rnn": ("h",)}
ZERO, ONE = np.array([0]), np.array([1])
ACTIVATIONS = {"tanh": "Tanh", "relu": "Relu", "sigmoid": "Sigmoid", "identity": "Affine"}


def step_graph(network: Network) -> bytes:
    """The file; the same network is the same bytes.

    Of a network that reads forwards alone, and whose heads say something after every step.
    """
    graph = _Graph()
    x = graph.concatenated([_input(graph, name, network) for name in network.inputs])       # (T, B, E)
    graph.given("lengths", TensorProto.INT32, ["B"])
    last = ""
    for depth, layer in enumerate(network.core.layers):
        if isinstance(layer, Layer):
            x, last = _recurrent(graph, f"core.layers.{depth}", layer, x)
        else:
            assert isinstance(layer, CausalLayer)
            x, last = _causal(graph, f"core.layers.{depth}", layer, x)
    for name in network.heads:
        _head(graph, f"heads.{name}", network.head(name), last, network)
    content: bytes = graph.model().SerializeToString(deterministic=True)
    return content


def _input(graph: "_Graph", name: str, network: Network) -> str:
    layer = network.inputs[name]
    if isinstance(layer, TokenInput):
        given = graph.given(name, TensorProto.INT64, ["T", "B"])
        return graph.add("Gather", _embedding(graph, layer, network), given)
    assert isinstance(layer, RealInput)
    if isinstance(layer.projection, Linear):
        given = graph.given(name, TensorProto.FLOAT, ["T", "B", layer.projection.in_features])
        product = graph.add("MatMul", given, graph.weight(f"inputs.{name}.weight", layer.projection.weight.T))
        return graph.add("Add", product, graph.weight(f"inputs.{name}.bias", layer.projection.bias))
    return graph.given(name, TensorProto.FLOAT, ["T", "B", layer.size])


def _embedding(graph: "_Graph", layer: TokenInput, network: Network) -> str:
    """A tied head finds it under the same name, so that it is there once."""
    (name,) = (name for name, each in network.inputs.items() if each is layer)
    return graph.weight(f"inputs.{name}.embedding", layer.embedding.weight)


def _recurrent(graph: "_Graph", name: str, layer: Layer, x: str) -> tuple[str, str]:
    """x (T, B, E) → the outputs (T, B, H) and the last of them (B, H)."""
    size, kind, weights = layer.config.hidden_size, layer.config.kind, layer.weights
    ih, hh, *biases = (_ordered(each, kind) for each in weights)
    parts = [graph.weight(f"{name}.{part}", values[None])
             for part, values in (("weight_ih", ih), ("weight_hh", hh), ("bias", torch.cat(biases)))]
    how: dict[str, Any] = {"hidden_size": size}
    if isinstance(layer.config, RNNConfig):
        how["activations"] = [ACTIVATIONS[layer.config.nonlinearity]]
        if layer.config.nonlinearity == "identity":
            how |= {"activation_alpha": [1.0], "activation_beta": [0.0]}
    if kind == "gru":
        how["linear_before_reset"] = 1
    before = [graph.given(f"state.{name}.{part}", TensorProto.FLOAT, [1, "B", size]) for part in PARTS[kind]]
    after = [graph.said(f"next.{name}.{part}", [1, "B", size]) for part in PARTS[kind]]
    y = graph.add(NAMES[kind], x, *parts, "lengths", *before, also=after, **how)     # (T, 1, B, H)
    x = graph.add("Squeeze", y, graph.weight("one", ONE))
    return x, graph.add("Squeeze", after[0], graph.weight("zero", ZERO))


def _ordered(weight: Tensor, kind: str) -> Tensor:
    """Gates in ONNX's order."""
    gates = weight.chunk(len(ORDER[kind]))
    return torch.cat([gates[place] for place in ORDER[kind]])


def _causal(graph: "_Graph", name: str, layer: CausalLayer, x: str) -> tuple[str, str]:
    """x (T, B, E) → the outputs (T, B, H) and each lane's last one (B, H)."""
    seen = x
    if layer.before:
        shape = [layer.before, "B", layer.input_size]
        seen = graph.add("Concat", graph.given(f"state.{name}", TensorProto.FLOAT, shape), x, axis=0)
        lanes = graph.add("Transpose", seen, perm=[1, 0, 2])                    # (B, before + T, E)
        steps = graph.weight(f"{name}.steps", np.arange(layer.before).reshape(1, -1, 1))
        lengths = graph.add("Cast", "lengths", to=TensorProto.INT64)
        ends = graph.add("Unsqueeze", lengths, graph.weight("one and two", np.array([1, 2])))
        kept = graph.add("GatherND", lanes, graph.add("Add", ends, steps), batch_dims=1)    # (B, before, E)
        graph.add("Transpose", kept, perm=[1, 0, 2], also=[graph.said(f"next.{name}", shape)], outputs=0)
    wide = graph.add("Transpose", seen, perm=[1, 2, 0])
    y = graph.add("Relu", graph.add("Conv", wide, graph.weight(f"{name}.weight", layer.weight),
                                    graph.weight(f"{name}.bias", layer.bias), dilations=[layer.dilation]))  # (B, H, T)
    place = graph.add("Sub", graph.add("Cast", "lengths", to=TensorProto.INT64), graph.weight("one", ONE))
    last = graph.add("GatherND", graph.add("Transpose", y, perm=[0, 2, 1]),
                     graph.add("Unsqueeze", place, graph.weight("one", ONE)), batch_dims=1)
    return graph.add("Transpose", y, perm=[2, 0, 1]), last


def _head(graph: "_Graph", name: str, head: Head, last: str, network: Network) -> None:
    """last (B, H) → (B, ·)."""
    if not isinstance(head, NextTokenHead):
        weight, bias = graph.weight(f"{name}.weight", head.output.weight), head.output.bias
    elif head.tied_to is None:
        weight, bias = graph.weight(f"{name}.weight", head.weight), head.bias
    else:
        weight, bias = _embedding(graph, head.tied_to, network), head.bias
        if isinstance(head.projection, Linear):
            last = graph.add("Gemm", last, graph.weight(f"{name}.projection", head.projection.weight), transB=1)
    said = graph.said(name, ["B", bias.shape[0]])
    graph.add("Gemm", last, weight, graph.weight(f"{name}.bias", bias), transB=1, also=[said], outputs=0)


class _Graph:
    """Nodes in the order in which they compute."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._weights: dict[str, Any] = {}
        self._inputs: list[Any] = []
        self._outputs: list[Any] = []

    def add(self, kind: str, *inputs: str, also: Sequence[str] = (), outputs: int = 1, **attributes: Any) -> str:
        """The name of what comes out; outputs that have names of their own are `also` there."""
        name = f"{kind}.{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, inputs, [*[name] * outputs, *also], **attributes))
        return name

    def weight(self, name: str, values: Tensor | NDArray[Any]) -> str:
        array = values.detach().cpu().float().numpy() if isinstance(values, Tensor) else values
        self._weights.setdefault(name, numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def given(self, name: str, kind: int, shape: list[Any]) -> str:
        self._inputs.append(helper.make_tensor_value_info(name, kind, shape))
        return name

    def said(self, name: str, shape: list[Any]) -> str:
        self._outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
        return name

    def concatenated(self, parts: list[str]) -> str:
        return parts[0] if len(parts) == 1 else self.add("Concat", *parts, axis=-1)

    def model(self) -> ModelProto:
        graph = helper.make_graph(self._nodes, "step", self._inputs, self._outputs, list(self._weights.values()))
        return helper.make_model(graph, producer_name="unroll", opset_imports=[helper.make_opsetid("", OPSET)],
                                 ir_version=IR)
