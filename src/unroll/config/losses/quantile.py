from typing import ClassVar, Literal

from unroll.config.loss import LossSettings, Target


class Settings(LossSettings):
    """Twice the pinball loss, the mean over levels: its minimum is each level's quantile (Koenker & Bassett, 1978)."""

    kind: Literal["quantile"]

    target: ClassVar[Target] = "reals"
    unit: ClassVar[str] = "twice the pinball loss in units of the target's scale"
    intervals: ClassVar[bool] = True
