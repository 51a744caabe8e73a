"""What stands for a whole sequence, as the state from which `unroll.models.onnx.step` reads its first step.

Inputs: each field of whole sequences, `static.<name>` (B, F) or (B, K), or on an axis of its own
`context.<name>` (T', B) or (T', B, F) and `context.<name>.lengths` (B,). Outputs: those parts of the state that are not
zero: `state.core.…` where the fields start the core, `state.context` (1, B, E) where they are read at every step.
"""

import numpy as np

from unroll.models.network import Network
from unroll.models.onnx.graph import Graph
from unroll.models.onnx.names import CONTEXT, start_input


def start_graph(network: Network) -> bytes:
    """The file; equal networks give equal bytes."""
    graph = Graph()
    parts = {name: network.encoder(name).onnx(graph, name, start_input(name, name in network.own_axis), ["B"])
             for name in network.static}
    if network.first is not None:
        _first_state(graph, network, graph.concatenated([parts[name] for name in network.first.names]))
    if network.throughout:
        context = graph.concatenated([parts[name] for name in network.throughout])
        output = graph.output(f"state.{CONTEXT}", [1, "B", sum(network.context_sizes)])
        graph.node("Unsqueeze", context, graph.zero(), also=[output], outputs=0)
    return graph.file("start")


def _first_state(graph: Graph, network: Network, read: str) -> None:
    """As `FirstState`, of vectors `read` (B, E)."""
    assert network.first is not None
    shapes = {name: shape for depth, layer in enumerate(network.core.layers)
              for name, shape in layer.onnx_state(f"core.layers.{depth}").items()}      # type: ignore[operator]
    # of a cell that looks back at nothing, the state has no numbers and no part in the graph
    linear = [part for part in network.first.parts if part.get_parameter("bias").numel()]
    for (name, shape), part in zip(shapes.items(), linear, strict=True):
        weight, bias = (graph.weight(f"first.{name}.{kind}", part.get_parameter(kind)) for kind in ("weight", "bias"))
        numbers = graph.node("Tanh", graph.node("Gemm", read, weight, bias, transB=1))
        lanes_first = graph.weight(f"first.{name}.shape", np.array([0, *shape[:1], *shape[2:]]))
        parts = graph.node("Reshape", numbers, lanes_first)
        graph.node("Transpose", parts, perm=[1, 0, 2], also=[graph.output(name, shape)], outputs=0)
