"""Another text: a vector for each symbol."""

from unroll.config.encoders import context_text
from unroll.config.encoders import embedding as settings_of
from unroll.data.spec import InputSpec
from unroll.models.encoders._context import ContextEncoder
from unroll.models.encoders.embedding import Encoder as Embedding


class Encoder(ContextEncoder):
    def __init__(self, settings: context_text.Settings, field: InputSpec) -> None:
        steps = Embedding(settings_of.Settings(kind="embedding", size=settings.size, dropout=0.0), field)
        super().__init__(settings, steps, field)
