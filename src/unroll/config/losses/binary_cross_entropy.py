from typing import ClassVar, Literal

from unroll.config.loss import LossSettings, Target


class Settings(LossSettings):
    """Minus the logarithm of the probability that each label is on or off, summed over labels."""

    kind: Literal["binary_cross_entropy"]

    target: ClassVar[Target] = "labels"
    unit: ClassVar[str] = "nats per {per}, summed over labels"
