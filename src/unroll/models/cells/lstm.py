"""Long short-term memory: Hochreiter & Schmidhuber (1997) with forget gates (Gers et al., 2000)."""

import torch
from torch import Tensor, nn, sigmoid, tanh

from unroll.config.cells.lstm import Settings
from unroll.models.cell import State
from unroll.models.cells._kernel import KernelCell
from unroll.models.onnx.graph import MICROSOFT, Graph


class Cell(KernelCell):
    """i, f, o = σ(W_ih x + b + W_hh h), g = tanh(…), c' = f c + i g, h' = o tanh(c')."""

    blocks = ("i", "f", "g", "o")
    operator, onnx_blocks = "LSTM", (0, 3, 1, 2)
    int8 = True
    settings: Settings

    @property
    def state_sizes(self) -> dict[str, tuple[int, ...]]:
        return {"h": (self.size,), "c": (self.size,)}

    def make_kernel(self) -> nn.RNNBase:
        return nn.LSTM(self.input_size, self.size)

    def equations(self, projected: Tensor, state: State) -> State:
        h, c = state
        i, f, g, o = (projected + self.recurrent_part(h)).chunk(4, dim=-1)                  # (B, H) each
        c = sigmoid(f) * c + sigmoid(i) * tanh(g)
        return sigmoid(o) * tanh(c), c

    def gates(self, x: Tensor, state: State) -> dict[str, Tensor]:
        i, f, _, o = (self.projected(x) + self.recurrent_part(state[0])).chunk(4, dim=-1)
        return {"input": sigmoid(i), "forget": sigmoid(f), "output": sigmoid(o)}

    @torch.no_grad()
    def initialise(self) -> None:
        super().initialise()
        self.weights.bias_ih.chunk(4)[1].fill_(self.settings.forget_bias)

    def onnx_operator(self, graph: Graph, name: str, x: str, matrices: tuple[Tensor, Tensor], bias: str,
                      before: list[str], after: list[str]) -> str:
        if not graph.int8:
            return super().onnx_operator(graph, name, x, matrices, bias, before, after)
        (w, *w_scale), (r, *r_scale) = (graph.quantised(f"{name}.{part}", matrix, lead=1)
                                        for part, matrix in zip(("weight_ih", "weight_hh"), matrices, strict=True))
        return graph.node("DynamicQuantizeLSTM", x, w, r, bias, "lengths", *before, "", *w_scale, *r_scale, also=after,
                          domain=MICROSOFT, hidden_size=self.size)
