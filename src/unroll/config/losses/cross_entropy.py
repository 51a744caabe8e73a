from typing import ClassVar, Literal

from unroll.config.loss import LossSettings, Target


class Settings(LossSettings):
    """Minus the logarithm of the true class's probability."""

    kind: Literal["cross_entropy"]

    target: ClassVar[Target] = "classes"
    unit: ClassVar[str] = "nats per {per}"
