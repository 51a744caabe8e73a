"""What a head is: from the core's output to predictions, and what wrong ones cost."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from unroll.config.head import HeadSettings, PooledSettings
from unroll.config.heads import HEADS
from unroll.models.conformal import Calibration, Values
from unroll.models.dropout import Dropout, no_dropout
from unroll.models.encoder import BaseEncoder
from unroll.models.loss import Frequencies
from unroll.models.onnx.graph import MICROSOFT, Graph
from unroll.models.pooling import BasePooling, make_pooling


@dataclass(frozen=True)
class Sizes:
    """What a head must fit to."""

    features: int       # H of the core's output, both directions together
    size: int           # of the target: symbols, classes, labels or numbers
    directions: int = 1
    horizon: int = 0    # steps of a forecast
    known_ahead: int = 0        # numbers that are known of each step of a forecast
    channels: int = 1           # series that are lanes of their own
    encoder: BaseEncoder | None = None      # of the field whose next step is the target
    frequencies: Frequencies | None = None  # of its classes, where they have names
    scale: tuple[float, ...] = (1.0,)       # what the numbers of a forecast were divided by


class BaseHead(nn.Module, ABC):
    """A kind of head has a class `Head` derived from this one, made from its settings and `Sizes`.

    `pool` is None where it predicts at each step. Shapes: T steps, B lanes, H features.
    """

    reads_ahead: ClassVar[bool] = False     # whether `forward` also takes what is known of a forecast's steps (H, B, ·)
    pool: BasePooling | None
    calibration: Calibration | None = None      # of predictions, where the settings calibrate; no weight

    def __init__(self, settings: HeadSettings) -> None:
        super().__init__()
        self.dropout = settings.dropout
        self.pool = None

    @abstractmethod
    def forward(self, hidden: Tensor, lengths: Tensor | None = None, dropout: Dropout = no_dropout) -> Tensor:
        """The core's output (T, B, H) → raw outputs (T, B, ·), or (B, ·) after pooling; one step (B, H) → (B, ·)."""

    @abstractmethod
    def loss(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Summed over the targets that count; the mean over the numbers of one target."""

    def loss_in_epoch(self, epoch: int, outputs: Tensor, target: Tensor) -> Tensor:
        """What is minimised in an epoch of the training, from 0 on, where that is not `loss` throughout."""
        return self.loss(outputs, target)

    @abstractmethod
    def predict(self, outputs: Tensor) -> Tensor:
        """What a user reads: probabilities, values or quantiles, on the target's scale."""

    def calibrate(self, predicted: Values, target: Values) -> None:
        """Set `calibration` from predictions (N, …) and targets (N, …) that chose nothing, if the settings say so."""

    def statistics(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Counts (S,) of the known targets, which add up over batches, and from which `measure` follows."""
        return outputs.new_zeros(0)

    def measure(self, statistics: Tensor) -> dict[str, float]:
        """The settings' `measures` of a split, from its statistics."""
        return {}

    @abstractmethod
    def onnx(self, graph: Graph, name: str, last: str) -> None:
        """Write the raw outputs (B, ·) of the step `last` (B, H) as the output `name`."""


class LinearHead(BaseHead):
    """Dropout, pooling where there is one, one linear layer, whose outputs are multiplied by `scale`."""

    scale = 1.0

    def __init__(self, settings: HeadSettings, sizes: Sizes, size: int) -> None:
        super().__init__(settings)
        if isinstance(settings, PooledSettings) and settings.pooling is not None:
            self.pool = make_pooling(settings.pooling, sizes.features, sizes.directions)
        self.output = nn.Linear(sizes.features, size)
        nn.init.xavier_uniform_(self.output.weight)
        nn.init.zeros_(self.output.bias)

    def forward(self, hidden: Tensor, lengths: Tensor | None = None, dropout: Dropout = no_dropout) -> Tensor:
        hidden = dropout(hidden, self.dropout)
        if self.pool is not None and hidden.dim() == 3:
            hidden = self.pool(hidden, lengths)
        outputs: Tensor = self.output(hidden)
        return outputs if self.scale == 1 else self.scale * outputs

    def onnx(self, graph: Graph, name: str, last: str) -> None:
        write_linear(graph, name, last, self.scale * self.output.weight, self.scale * self.output.bias)


def write_linear(graph: Graph, name: str, last: str, weight: Tensor, bias: Tensor) -> None:
    """last (B, H) · weight (size, H)ᵀ + bias as the output `name`."""
    offset, output = graph.weight(f"{name}.bias", bias), graph.output(name, ["B", bias.shape[0]])
    if graph.int8:
        graph.node("DynamicQuantizeMatMul", last, *graph.quantised(f"{name}.weight", weight), offset, also=[output],
                   outputs=0, domain=MICROSOFT)
    else:
        graph.node("Gemm", last, graph.weight(f"{name}.weight", weight), offset, transB=1, also=[output], outputs=0)


def make_head(settings: HeadSettings, sizes: Sizes) -> BaseHead:
    head: BaseHead = HEADS.code_of(settings.kind, "Head")(settings, sizes)
    return head
