from typing import ClassVar, Literal

from unroll.config.loss import LossSettings, Target


class Settings(LossSettings):
    """Minus the log-likelihood of a normal distribution, mean and deviation predicted (Nix & Weigend, 1994)."""

    kind: Literal["gaussian"]

    target: ClassVar[Target] = "reals"
    unit: ClassVar[str] = "nats per number"
    intervals: ClassVar[bool] = True
    normal: ClassVar[bool] = True
