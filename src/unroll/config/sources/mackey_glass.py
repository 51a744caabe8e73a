"""A generated chaotic series."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, PositiveFloat, PositiveInt

from unroll.config.data import Input, Scale, SplitSettings, SplitShare, Target


class Settings(SplitSettings):
    """Generated: the delay differential equation of Mackey & Glass (1977), chaotic from tau = 17 on."""

    FIXED: ClassVar[tuple[Input, Target] | None] = ("real", "next")

    kind: Literal["mackey_glass"]
    tau: Annotated[float, Field(ge=0.1)]    # the delay in time units; 0.1 is a step of the solution
    interval: PositiveFloat         # time units between two steps of the series
    steps: PositiveInt
    scale: Scale
    test: SplitShare
