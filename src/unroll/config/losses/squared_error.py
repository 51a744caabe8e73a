from typing import ClassVar, Literal

from unroll.config.loss import LossSettings, Target


class Settings(LossSettings):
    """(y - y_true)²; the prediction is a mean."""

    kind: Literal["squared_error"]

    target: ClassVar[Target] = "reals"
    unit: ClassVar[str] = "squared error in units of the target's scale"
