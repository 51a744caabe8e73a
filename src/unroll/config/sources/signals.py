"""Generated oscillations."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, NonNegativeFloat, PositiveInt

from unroll.config.data import Input, Scale, SplitSettings, SplitShare, Target


class Settings(SplitSettings):
    """Generated: real vectors whose law of motion changes now and then; the tag is the law at work."""

    FIXED: ClassVar[tuple[Input, Target] | None] = ("real", "tag")

    kind: Literal["signals"]
    size: PositiveInt               # numbers per step
    laws: Annotated[int, Field(ge=2)]
    steps: PositiveInt
    dwell: PositiveInt              # mean number of steps between two changes
    noise: NonNegativeFloat         # deviation of what is added, where the signal itself has 1
    scale: Scale
    test: SplitShare
