from typing import ClassVar, Literal

from pydantic import PositiveFloat

from unroll.config.loss import LossSettings, Target


class Settings(LossSettings):
    """Squared near zero, absolute further out, so that outliers weigh less (Huber, 1964)."""

    kind: Literal["huber"]
    delta: PositiveFloat        # the error where it turns from squared to absolute, in units of the target's scale

    target: ClassVar[Target] = "reals"
    unit: ClassVar[str] = "Huber loss in units of the target's scale"
