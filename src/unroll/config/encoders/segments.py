from typing import ClassVar, Literal

from pydantic import PositiveInt

from unroll.config.encoder import EncoderSettings, Field


class Settings(EncoderSettings):
    """The series of a forecast, of which several steps are read as one, with all other inputs of these steps."""

    kind: Literal["segments"]
    steps: PositiveInt              # of a segment; the context is a multiple of it
    size: PositiveInt               # of a segment's vector
    channels: Literal["joint", "shared"]    # all series at once, or each by itself with the same weights

    reads: ClassVar[Field] = "real"
