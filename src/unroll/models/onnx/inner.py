"""Layers whose state stays inside the graph: it starts at zero and is not an output."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from unroll.models.onnx.graph import Graph


class Inner(Graph):
    """Writes into `graph`, of sequences that are `lengths` long; `x` (T, B, E) has as many lanes."""

    def __init__(self, graph: Graph, lengths: str, x: str) -> None:
        super().__init__()
        self._nodes, self._weights, self._shared = graph._nodes, graph._weights, graph._shared
        self._lengths, self._lanes = lengths, self.node("Shape", x, start=1, end=2)

    def node(self, kind: str, *inputs: str, also: Sequence[str] = (), outputs: int = 1, **attributes: Any) -> str:
        own = [self._lengths if name == "lengths" else name for name in inputs]
        return super().node(kind, *own, also=also, outputs=outputs, **attributes)

    def input(self, name: str, kind: int, shape: Sequence[int | str]) -> str:
        """Zeros of that shape."""
        sizes = [self._lanes if size == "B" else self.weight(f"{name}.{place}", np.array([size]))
                 for place, size in enumerate(shape)]
        return self.node("ConstantOfShape", self.node("Concat", *sizes, axis=0))

    def output(self, name: str, shape: Sequence[int | str]) -> str:
        return name
