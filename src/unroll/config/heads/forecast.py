from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from unroll.config.decoder import Decoder
from unroll.config.head import Generated, PooledSettings, Target
from unroll.config.loss import IntervalLoss
from unroll.config.pooling import Pooling


def _rising(levels: list[float]) -> list[float]:
    if sorted(set(levels)) != levels or 0.5 not in levels:
        raise PydanticCustomError("levels", "{text}", {"text": "levels must rise and hold 0.5"})
    return levels


class Settings(PooledSettings):
    """The distribution of the next steps of a series, as its quantiles."""

    kind: Literal["forecast"]
    pooling: Pooling
    loss: IntervalLoss
    # rising, 0.5 among them
    levels: Annotated[list[Annotated[float, Field(gt=0, lt=1)]], Field(min_length=3), AfterValidator(_rising)]
    # conformal: the later half of the validation origins makes intervals as wide as they have to be, the earlier half
    # chooses the weights; none: they are the network's own, and all origins choose
    calibration: Literal["none", "conformal"]
    decoder: Decoder | None         # none: a linear layer gives all steps at once

    later: ClassVar[Mapping[str, Any]] = {"calibration": "none", "decoder": None}

    predicts: ClassVar[tuple[Target, ...]] = ("forecast",)
    generates: ClassVar[Generated | None] = "paths"

    @property
    def calibrates(self) -> bool:
        return self.calibration == "conformal"

    @property
    def unit(self) -> str:
        return self.loss.unit
