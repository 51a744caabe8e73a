"""A network as an ONNX graph that reads steps from a state on, to generate without PyTorch.

Inputs: each field (T, B) or (T, B, F), `lengths` (B,), and the state, whose second axis is the lanes. Outputs: at a
lane's last step, (B, ·), those of each head that predicts the next step, before any softmax, and the state.
"""

from unroll.models.network import Network
from unroll.models.onnx.graph import INT32, Graph
from unroll.models.onnx.names import field_input


def step_graph(network: Network, int8: bool = False) -> bytes:
    """The file; equal networks give equal bytes.

    The network must read forwards only, of cells that can write themselves. With `int8`, which the cell must have, each
    row of the matrices is whole numbers from -64 to 64 and a scale, and what they are multiplied by is quantised as it
    comes (Jacob et al., 2018).
    """
    graph = Graph(int8)
    x = graph.concatenated([network.encoder(name).onnx(graph, field_input(name)) for name in network.inputs])
    graph.input("lengths", INT32, ["B"])
    last = ""
    for depth, layer in enumerate(network.core.layers):
        x, last = layer.onnx(graph, f"core.layers.{depth}", x)      # type: ignore[operator]  # ModuleList forgets
    for name in network.next_step or network.heads:
        network.head(name).onnx(graph, f"heads.{name}", last)
    content: bytes = graph.model().SerializeToString(deterministic=True)
    return content
