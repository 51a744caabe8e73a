from typing import ClassVar, Literal

from unroll.config.loss import LossSettings, Target
from unroll.config.strict import Probability


class Settings(LossSettings):
    """Cross-entropy in which each class weighs 1 / its effective number of examples (Cui et al., 2019).

    Weights are normalised to mean 1 over the training split, so that the loss divides by a count as others do.
    """

    kind: Literal["class_balanced"]
    beta: Probability       # 0: all classes alike; towards 1: inverse frequency. The paper's are 0.9 to 0.9999

    target: ClassVar[Target] = "classes"
    unit: ClassVar[str] = "weighted nats per {per}"
    probabilities: ClassVar[str] = (
        "Its probabilities are of classes as frequent as training weighed them, not as they occur.")
