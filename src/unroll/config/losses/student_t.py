from typing import ClassVar, Literal

from unroll.config.loss import LossSettings, Target


class Settings(LossSettings):
    """Minus the log-likelihood of Student's t, whose tails are as heavy as the data's (Lange et al., 1989)."""

    kind: Literal["student_t"]

    target: ClassVar[Target] = "reals"
    unit: ClassVar[str] = "nats per number"
    intervals: ClassVar[bool] = True
    distribution: ClassVar[bool] = True
