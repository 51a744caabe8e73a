"""Car parks in Birmingham."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, PositiveInt

from unroll.config.data import Missing, Scale, Sha256, SplitSettings, SplitShare
from unroll.config.strict import Name


class Settings(SplitSettings):
    """How full car parks are at stamps that are unevenly far apart; the target is the day's next stamps.

    Inputs of steps are `occupancy`, as a share of the capacity, and the gaps; those of a window are the `hour` of its
    origin, whether it is on a `weekend`, and the hours from the last stamp that is read to those `ahead`.
    """

    SEVERAL: ClassVar[bool] = True

    kind: Literal["parking"]
    url: str
    sha256: Sha256
    licence: str
    columns: dict[Name, list[str]]  # occupancy; hour, weekend, ahead
    removed: Annotated[float, Field(ge=0, lt=1)]    # share of the stamps that are not read; all of them are predicted
    bin: PositiveInt | None         # minutes of a step, up to the origin's; null: a step for each stamp
    horizon: PositiveInt            # stamps
    context: PositiveInt            # stamps, of which some may be removed
    time: str                       # column
    scale: Scale
    missing: Missing                # numbers of inputs that are not known
    test: SplitShare                # of the days, the last
