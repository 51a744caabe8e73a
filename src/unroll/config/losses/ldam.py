from typing import ClassVar, Literal

from pydantic import NonNegativeFloat, PositiveFloat

from unroll.config.loss import LossSettings, Target


class Settings(LossSettings):
    """Label-distribution-aware margins: the rarer a class, the further its logit has to lead (Cao et al., 2019)."""

    kind: Literal["ldam"]
    max_margin: NonNegativeFloat    # of the rarest class; others have less, by n^-¼. The paper's code has 0.5
    scale: PositiveFloat            # of the logits, in training and in predictions; the paper's code has 30

    target: ClassVar[Target] = "classes"
    unit: ClassVar[str] = "nats per {per}, with margins"
    probabilities: ClassVar[str] = "Its probabilities have the margins of training in them, rare classes the widest."
