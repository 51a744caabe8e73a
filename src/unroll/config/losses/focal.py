from typing import ClassVar, Literal

from pydantic import NonNegativeFloat

from unroll.config.loss import LossSettings, Target


class Settings(LossSettings):
    """Cross-entropy times (1 - p)^gamma, so that what is predicted well already weighs less (Lin et al., 2017)."""

    kind: Literal["focal"]
    gamma: NonNegativeFloat     # 0: cross-entropy; the paper's is 2

    target: ClassVar[Target] = "classes"
    unit: ClassVar[str] = "focal loss per {per}"
    probabilities: ClassVar[str] = "Its probabilities are less certain than its predictions are right."
