"""Another series of vectors of real numbers: themselves, or a linear layer of them."""

from unroll.config.encoders import context_series
from unroll.config.encoders import real as settings_of
from unroll.data.spec import InputSpec
from unroll.models.encoders._context import ContextEncoder
from unroll.models.encoders.real import Encoder as Real


class Encoder(ContextEncoder):
    def __init__(self, settings: context_series.Settings, field: InputSpec) -> None:
        steps = Real(settings_of.Settings(kind="real", size=settings.size, dropout=0.0), field)
        super().__init__(settings, steps, field)
