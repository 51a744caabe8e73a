"""A network as an ONNX graph that reads steps from a state on, to generate without PyTorch.

Inputs: each field (T, B) or (T, B, F), `lengths` (B,), and the state, whose second axis is the lanes. Outputs: each
head's at a lane's last step, (B, ·), before any softmax, and the state there.
"""

from typing import Any

from torch.nn import Linear

from unroll.models.heads import Head, NextTokenHead
from unroll.models.inputs import RealInput, TokenInput
from unroll.models.network import Network
from unroll.models.onnx.graph import FLOAT, INT32, INT64, MICROSOFT, Graph


def step_graph(network: Network, int8: bool = False) -> bytes:
    """The file; equal networks give equal bytes.

    The network must read forwards only, of cells that can write themselves, and its heads must have outputs at every
    step. With `int8`, which the cell must have, each row of the matrices is whole numbers from -64 to 64 and a scale,
    and what they are multiplied by is quantised as it comes (Jacob et al., 2018).
    """
    graph = Graph(int8)
    x = graph.concatenated([_input(graph, name, layer) for name, layer in network.inputs.items()])       # (T, B, E)
    graph.input("lengths", INT32, ["B"])
    last = ""
    for depth, layer in enumerate(network.core.layers):
        x, last = layer.onnx(graph, f"core.layers.{depth}", x)      # type: ignore[operator]  # ModuleList forgets
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
