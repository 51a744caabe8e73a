"""What an encoder is: a field at each step, or of a whole sequence, as a vector."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from unroll.config.encoder import EncoderSettings, SegmentSettings
from unroll.config.encoders import ENCODERS
from unroll.data.spec import InputSpec
from unroll.models.dropout import Dropout
from unroll.models.onnx.graph import Graph


class BaseEncoder(nn.Module, ABC):
    """A kind of encoder has a class `Encoder` derived from this one, made from its settings and what the field is.

    `self.size` is E, the size of the vectors. `segments` are the settings of `unroll.models.segments`, where several
    steps are read as one.
    """

    segments: SegmentSettings | None = None

    def __init__(self, settings: EncoderSettings, size: int) -> None:
        super().__init__()
        self.dropout, self.size = settings.dropout, size
        self.masked = False     # whether it also reads which numbers are there, of a whole sequence

    @abstractmethod
    def forward(self, values: Tensor, dropout: Dropout) -> Tensor:
        """Symbols (T, B), real numbers (T, B, F) or categories (T, B, K) → (T, B, E); a single step without T.

        Values of whole sequences come as (1, B, ·), so that dropout finds the lanes.
        """

    def whole(self, inputs: Mapping[str, Tensor], name: str, dropout: Dropout) -> Tensor:
        """The vector (B, E) of a field that stands for whole sequences, (B, ·) of the inputs."""
        vectors: Tensor = self(self.values(inputs[name])[None], dropout)[0]
        return vectors

    def values(self, values: Tensor) -> Tensor:
        """Numbers (…, F), and behind them which are there, where some may be missing."""
        if not self.masked:
            return values
        return torch.cat([values.nan_to_num(), (~values.isnan()).to(values)], dim=-1)

    @property
    def keeps_features(self) -> bool:
        """Whether a step's vector is the field's numbers themselves, so that one may be missing."""
        return False

    @property
    def has_onnx(self) -> bool:
        return not self.masked

    @abstractmethod
    def onnx(self, graph: Graph, name: str, values: str, axes: Sequence[str]) -> str:
        """Write the encoder of the field `name`, and return the vectors, (T, B, E) or (B, E).

        The field becomes an input called `values` whose first axes are `axes`.
        """


def make_encoder(settings: EncoderSettings, field: InputSpec) -> BaseEncoder:
    masked = field.missing == "mask" and field.per != "step"
    read = field.model_copy(update={"size": 2 * field.size}) if masked else field
    encoder: BaseEncoder = ENCODERS.code_of(settings.kind, "Encoder")(settings, read)
    encoder.masked = masked
    return encoder
