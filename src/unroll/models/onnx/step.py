"""A network as an ONNX graph that reads steps from a state on, to generate without PyTorch.

Inputs: each field (T, B), (T, B, F) or (T, B, K), `lengths` (B,), and the state, whose second axis is the lanes.
Outputs: at a lane's last step, (B, ·), those of each head that predicts the next step, before any softmax, and the
state. What the network reads of whole sequences at every step is part of the state, `state.context` (1, B, E), which
`unroll.models.onnx.start` makes.
"""

import numpy as np

from unroll.models.network import Network
from unroll.models.onnx.graph import FLOAT, INT32, Graph
from unroll.models.onnx.names import CONTEXT, field_input


def step_graph(network: Network, int8: bool = False) -> bytes:
    """The file; equal networks give equal bytes.

    The network must read forwards only, of cells that can write themselves. With `int8`, which the cell must have, each
    row of the matrices is whole numbers from -64 to 64 and a scale, and what they are multiplied by is quantised as it
    comes (Jacob et al., 2018).
    """
    graph = Graph(int8)
    parts = {name: encoder.onnx(graph, name, field_input(name), ["T", "B"]) for name, encoder in network.inputs.items()
             if name not in network.static}
    parts |= _context(graph, network, next(iter(parts.values())))
    x = graph.concatenated([parts[name] for name in network.inputs if name in parts])
    graph.input("lengths", INT32, ["B"])
    last = ""
    for depth, layer in enumerate(network.core.layers):
        x, last = layer.onnx(graph, f"core.layers.{depth}", x)      # type: ignore[operator]  # ModuleList forgets
    for name in network.next_step or network.heads:
        network.head(name).onnx(graph, f"heads.{name}", last)
    return graph.file("step")


def _context(graph: Graph, network: Network, like: str) -> dict[str, str]:
    """What is read of whole sequences, (T, B, E) each, with as many steps as `like` has."""
    if not network.throughout:
        return {}
    sizes = network.context_sizes
    context = graph.input(f"state.{CONTEXT}", FLOAT, [1, "B", sum(sizes)])
    graph.node("Identity", context, also=[graph.output(f"next.{CONTEXT}", [1, "B", sum(sizes)])], outputs=0)
    steps = graph.node("Shape", like, end=2)
    shape = graph.node("Concat", steps, graph.weight(f"{CONTEXT}.size", np.array([sum(sizes)])), axis=0)
    every, edges = graph.node("Expand", context, shape), np.cumsum([0, *sizes])
    axis = graph.weight(f"{CONTEXT}.axis", np.array([2]))
    return {name: graph.node("Slice", every, *(graph.weight(f"{CONTEXT}.{edge}", np.array([edge]))
                                               for edge in (first, last)), axis)
            for name, first, last in zip(network.throughout, edges, edges[1:], strict=False)}
