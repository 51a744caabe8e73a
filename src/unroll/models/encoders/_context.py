"""Another sequence beside the one that the core reads, with a length of its own, as one vector."""

from collections.abc import Mapping, Sequence

from torch import Tensor

from unroll.base.errors import UserError
from unroll.config.encoder import ContextSettings
from unroll.data.batches import LENGTHS
from unroll.models.core import Core
from unroll.models.dropout import Dropout
from unroll.models.encoder import BaseEncoder
from unroll.models.onnx.graph import Graph
from unroll.models.pooling import make_pooling


class ContextEncoder(BaseEncoder):
    """A vector for each step, which `steps` makes; a core that reads them, where there is one; a pooling."""

    own_axis = True

    def __init__(self, settings: ContextSettings, steps: BaseEncoder, longest: int) -> None:
        """`longest`: of the training sequences."""
        super().__init__(settings, steps.size)
        self.steps = steps
        self.core = None if settings.core is None else Core(settings.core, steps.size, longest)
        if self.core is not None:
            self.size = self.core.size
        self.pool = make_pooling(settings.pooling, self.size, 1 if self.core is None else self.core.directions)

    def forward(self, values: Tensor, dropout: Dropout, lengths: Tensor | None = None) -> Tensor:
        """values (T', B) or (T', B, F), of which the first `lengths` (B,) steps are read → (1, B, E)."""
        x = self.steps(values, dropout)
        if lengths is None:
            lengths = x.new_full(x.shape[1:2], len(x)).long()
        if self.core is not None:
            x, _ = self.core(x, self.core.start(x.shape[1]), dropout, lengths)
        pooled = self.pool(x, lengths).masked_fill((lengths == 0)[:, None], 0)
        return dropout(pooled[None], self.dropout)

    def whole(self, inputs: Mapping[str, Tensor], name: str, dropout: Dropout) -> Tensor:
        vectors: Tensor = self(inputs[name], dropout, inputs[LENGTHS.format(name=name)])[0]
        return vectors

    def onnx(self, graph: Graph, name: str, values: str, axes: Sequence[str]) -> str:
        raise UserError("unsupported", f"model.inputs.{name}", "another sequence beside the one that is read has no "
                        "step graph.")
