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
MICROSOFT = "com.microsoft"     # operators of its own
NAMES = {"lstm": "LSTM", "gru": "GRU", "rnn": "RNN"}
ORDER = {"lstm": (0, 3, 1, 2), "gru": (1, 0, 2), "rnn": (0,)}       # of the gates: iofg, zrn
PARTS = {"lstm": ("h", "c"), "gru": ("h",), "rnn": ("h",)}
ZERO, ONE = np.array([0]), np.array([1])
ACTIVATIONS = {"tanh": "Tanh", "relu": "Relu", "sigmoid": "Sigmoid", "identity": "Affine"}


def step_graph(network: Network, int8: bool = False) -> bytes:
    """The file; the same network is the same bytes.

    Of a network that reads forwards alone, and whose heads say something after every step. With `int8` each row of the
    matrices is whole numbers from -127 to 127 and a scale, and what they are multiplied by is quantised when it comes
    (Jacob et al., 2018); of LSTMs alone, ONNX Runtime has no such kernel for other cells.
    """
    graph = _Graph(int8)
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
    bias = graph.weight(f"{name}.bias", torch.cat(biases)[None])
    how: dict[str, Any] = {"hidden_size": size}
    if isinstance(layer.config, RNNConfig):
        how["activations"] = [ACTIVATIONS[layer.config.nonlinearity]]
        if layer.config.nonlinearity == "identity":
            how |= {"activation_alpha": [1.0], "activation_beta": [0.0]}
    if kind == "gru":
        how["linear_before_reset"] = 1
    before = [graph.given(f"state.{name}.{part}", TensorProto.FLOAT, [1, "B", size]) for part in PARTS[kind]]
    after = [graph.said(f"next.{name}.{part}", [1, "B", size]) for part in PARTS[kind]]
    if graph.int8:
        assert kind == "lstm"
        (w, *w_scale), (r, *r_scale) = (graph.quantised(f"{name}.{part}", matrix, lead=1)
                                        for part, matrix in (("weight_ih", ih), ("weight_hh", hh)))
        y = graph.add("DynamicQuantizeLSTM", x, w, r, bias, "lengths", *before, "", *w_scale, *r_scale, also=after,
                      domain=MICROSOFT, **how)
    else:
        w, r = graph.weight(f"{name}.weight_ih", ih[None]), graph.weight(f"{name}.weight_hh", hh[None])
        y = graph.add(NAMES[kind], x, w, r, bias, "lengths", *before, also=after, **how)     # (T, 1, B, H)
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
    tied_to = head.tied_to if isinstance(head, NextTokenHead) else None
    if tied_to is not None and isinstance(head.projection, Linear):
        last = graph.add("Gemm", last, graph.weight(f"{name}.projection", head.projection.weight), transB=1)
    layer = head if isinstance(head, NextTokenHead) else head.output
    bias, said = graph.weight(f"{name}.bias", layer.bias), graph.said(name, ["B", layer.bias.shape[0]])
    if graph.int8:
        matrix = layer.weight if tied_to is None else tied_to.embedding.weight
        graph.add("DynamicQuantizeMatMul", last, *graph.quantised(f"{name}.weight", matrix), bias, also=[said],
                  outputs=0, domain=MICROSOFT)
        return
    weight = graph.weight(f"{name}.weight", layer.weight) if tied_to is None else _embedding(graph, tied_to, network)
    graph.add("Gemm", last, weight, bias, transB=1, also=[said], outputs=0)


class _Graph:
    """Nodes in the order in which they compute."""

    def __init__(self, int8: bool) -> None:
        self.int8 = int8
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

    def quantised(self, name: str, matrix: Tensor, lead: int = 0) -> tuple[str, str, str]:
        """A matrix (out, in) as (in, out) whole numbers, a scale for each of `out`, and zero; `lead` axes of size 1."""
        values = matrix.detach().cpu().float().numpy()
        scale = np.abs(values).max(axis=1).clip(1e-12) / 127
        whole, front = np.round(values / scale[:, None]).astype(np.int8).T, (None,) * lead
        parts = {"int8": whole, "scale": scale.astype(np.float32), "zero": np.zeros_like(scale, np.int8)}
        one, two, three = (self.weight(f"{name}.{part}", array[front]) for part, array in parts.items())
        return one, two, three

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
        return helper.make_model(graph, producer_name="unroll", ir_version=IR,
                                 opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid(MICROSOFT, 1)])
