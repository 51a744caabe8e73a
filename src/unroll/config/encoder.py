"""What the settings of every encoder have. A kind of encoder derives from `EncoderSettings`."""

from typing import Annotated, ClassVar, Literal

from pydantic import PositiveInt

from unroll.config.cell import CellSettings
from unroll.config.cells import CELLS
from unroll.config.kinds import OneOf
from unroll.config.pooling import Pooling
from unroll.config.strict import Probability, Strict

Field = Literal["tokens", "real", "categories", "static_real", "static_categories", "context_tokens", "context_real",
                "context_categories"]


class EncoderSettings(Strict):
    """A kind adds `kind: Literal["<kind>"]` and what it alone needs."""

    kind: str
    dropout: Probability        # of its output

    reads: ClassVar[Field]      # the kind of field
    static: ClassVar[bool] = False      # of a whole sequence
    own_axis: ClassVar[bool] = False    # of another sequence beside it, with a length of its own

    @property
    def starts(self) -> bool:
        """Whether the core's first state is made of it, rather than each step's input."""
        return False


class SegmentSettings(EncoderSettings):
    """Settings of an encoder of several steps as one."""

    steps: PositiveInt              # of a segment; a forecast's context is a multiple of it
    size: PositiveInt               # of a segment's vector
    channels: Literal["joint", "shared"]    # all series at once, or each by itself with the same weights


class StaticSettings(EncoderSettings):
    """Settings of encoders of whole sequences."""

    joins: Literal["steps", "start"]    # beside the other inputs at every step, or as the core's first state

    static: ClassVar[bool] = True

    @property
    def starts(self) -> bool:
        return self.joins == "start"


class ContextSettings(StaticSettings):
    """Settings of encoders of another sequence, which becomes one vector; an empty one is zeros."""

    core: Annotated[CellSettings, OneOf(CELLS)] | None      # reads it; none: its steps are pooled as they are
    pooling: Pooling

    own_axis: ClassVar[bool] = True
