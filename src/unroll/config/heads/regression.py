from typing import ClassVar, Literal

from unroll.config.head import PooledSettings, Target
from unroll.config.loss import RealLoss


class Settings(PooledSettings):
    """A vector of real numbers, for a sequence or at each step."""

    kind: Literal["regression"]
    loss: RealLoss

    predicts: ClassVar[tuple[Target, ...]] = ("next_value", "value", "values")
    draw: ClassVar[str] = "unroll.generation.draws.regression"

    @property
    def unit(self) -> str:
        return self.loss.unit
