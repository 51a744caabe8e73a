from typing import ClassVar, Literal

from unroll.config.encoder import Field, SegmentSettings


class Settings(SegmentSettings):
    """The series of a forecast, of which several steps are read as one, with all other inputs of these steps."""

    kind: Literal["segments"]

    reads: ClassVar[Field] = "real"
