from typing import ClassVar, Literal

from pydantic import NonNegativeFloat

from unroll.config.loss import LossSettings, Target


class Settings(LossSettings):
    """Cross-entropy of logits to which tau times the logarithm of each class's frequency is added (Menon et al., 2021).

    Predictions go by the plain logits, in which the frequencies are not.
    """

    kind: Literal["logit_adjusted"]
    tau: NonNegativeFloat       # 0: cross-entropy; 1: the lowest balanced error

    target: ClassVar[Target] = "classes"
    unit: ClassVar[str] = "nats per {per}, adjusted by frequency"
    probabilities: ClassVar[str] = "Its probabilities are of classes that are all equally frequent, not as they occur."
