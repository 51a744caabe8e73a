"""An ONNX graph as layers write it: nodes, weights, inputs and outputs, in the order in which they are added."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper, numpy_helper
from torch import Tensor, nn

OPSET, IR = 17, 8               # what ONNX Runtime has read since 1.13
MICROSOFT = "com.microsoft"     # the domain of ONNX Runtime's own operators
# x86 processors without VNNI add two products of an unsigned and a signed byte in 16 bits that saturate (vpmaddubsw).
# Weights of at most 64 cannot reach that, 2 · 255 · 64 < 2^15, so that every processor computes the same integers.
INT8_LARGEST = 64
FLOAT, INT32, INT64 = TensorProto.FLOAT, TensorProto.INT32, TensorProto.INT64


class Graph:
    """Values are known by their names, which are strings; equal networks give equal bytes.

    With `int8`, layers that can multiply whole numbers are asked to.
    """

    def __init__(self, int8: bool = False) -> None:
        self.int8 = int8
        self._nodes: list[Any] = []
        self._weights: dict[str, Any] = {}
        self._shared: dict[int, str] = {}       # id of a parameter → its name
        self._inputs: list[Any] = []
        self._outputs: list[Any] = []

    def node(self, kind: str, *inputs: str, also: Sequence[str] = (), outputs: int = 1, **attributes: Any) -> str:
        """Add an operator and return the name of its first output; outputs that have names of their own are `also`.

        `outputs=0`: `also` names all of them. `domain=MICROSOFT` for ONNX Runtime's own operators.
        """
        name = f"{kind}.{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, inputs, [*[name] * outputs, *also], **attributes))
        return name

    def weight(self, name: str, values: Tensor | NDArray[Any]) -> str:
        """Store a constant and return its name; a parameter that layers share is stored once, under its first name."""
        if isinstance(values, nn.Parameter):
            name = self._shared.setdefault(id(values), name)
        array = values.detach().cpu().float().numpy() if isinstance(values, Tensor) else values
        self._weights.setdefault(name, numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def quantised(self, name: str, matrix: Tensor, lead: int = 0) -> tuple[str, str, str]:
        """Store a matrix (out, in) as int8 (in, out), a scale for each of `out`, and zeros.

        Symmetric, ±INT8_LARGEST (Jacob et al., 2018); `lead` axes of size 1 come first.
        """
        values = matrix.detach().cpu().float().numpy()
        scale = np.abs(values).max(axis=1).clip(1e-12) / INT8_LARGEST
        whole, front = np.round(values / scale[:, None]).astype(np.int8).T, (None,) * lead
        parts = {"int8": whole, "scale": scale.astype(np.float32), "zero": np.zeros_like(scale, np.int8)}
        one, two, three = (self.weight(f"{name}.{part}", array[front]) for part, array in parts.items())
        return one, two, three

    def input(self, name: str, kind: int, shape: Sequence[int | str]) -> str:
        """Declare an input; axes that may have any size are letters: "T" steps, "B" lanes."""
        self._inputs.append(helper.make_tensor_value_info(name, kind, shape))
        return name

    def output(self, name: str, shape: Sequence[int | str]) -> str:
        """Declare an output of floats; a node must then write it, `also=[name]`."""
        self._outputs.append(helper.make_tensor_value_info(name, FLOAT, shape))
        return name

    def zero(self) -> str:
        """The constant [0], as operators take an axis."""
        return self.weight("zero", np.array([0]))

    def one(self) -> str:
        """The constant [1]."""
        return self.weight("one", np.array([1]))

    def concatenated(self, parts: Sequence[str]) -> str:
        """Side by side along the last axis."""
        return parts[0] if len(parts) == 1 else self.node("Concat", *parts, axis=-1)

    def file(self, name: str) -> bytes:
        """The graph, called `name`; equal graphs give equal bytes."""
        content: bytes = self.model(name).SerializeToString(deterministic=True)
        return content

    def model(self, name: str = "step") -> ModelProto:
        graph = helper.make_graph(self._nodes, name, self._inputs, self._outputs, list(self._weights.values()))
        return helper.make_model(graph, producer_name="unroll", ir_version=IR,
                                 opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid(MICROSOFT, 1)])
