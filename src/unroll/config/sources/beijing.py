"""Particles in Beijing's air."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, PositiveInt

from unroll.config.data import Input, Missing, Scale, Sha256, SplitSettings, SplitShare, Target


class Settings(SplitSettings):
    """Hours of PM2.5 before an origin, which has holes, and, if set, of weather; the target is the hours after it."""

    FIXED: ClassVar[tuple[Input, Target] | None] = ("real", "value")

    kind: Literal["beijing"]
    url: str
    sha256: Sha256
    licence: str
    weather: bool                   # whether its past is read, too
    hidden: Annotated[float, Field(ge=0, lt=1)]     # share of the known PM2.5 that is not read, in runs as long as its
                                    # own holes; all of it is predicted
    horizon: PositiveInt            # hours
    context: PositiveInt            # hours
    stride: PositiveInt             # hours between two origins
    scale: Scale
    missing: Missing                # numbers of inputs that are not known
    test: SplitShare
