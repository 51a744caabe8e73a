"""Another sequence of categories: the vectors of each step's, side by side."""

from unroll.config.encoders import category as settings_of
from unroll.config.encoders import context_category
from unroll.data.spec import InputSpec
from unroll.models.encoders._context import ContextEncoder
from unroll.models.encoders.category import Encoder as Category


class Encoder(ContextEncoder):
    def __init__(self, settings: context_category.Settings, field: InputSpec) -> None:
        steps = Category(settings_of.Settings(kind="category", size=settings.size, dropout=0.0), field)
        super().__init__(settings, steps, field)
