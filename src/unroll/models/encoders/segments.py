"""Series of which several steps are read as one: the numbers themselves, of which `Segments` makes vectors."""

from unroll.config.encoders import real as settings_of
from unroll.config.encoders import segments
from unroll.data.spec import InputSpec
from unroll.models.encoders.real import Encoder as Real


class Encoder(Real):
    def __init__(self, settings: segments.Settings, field: InputSpec) -> None:
        super().__init__(settings_of.Settings(kind="real", size=None, dropout=settings.dropout), field)
        self.segments = settings

    @property
    def keeps_features(self) -> bool:
        return False

    @property
    def has_onnx(self) -> bool:
        return False
