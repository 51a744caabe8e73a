from typing import ClassVar, Literal

from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt

from unroll.config.loss import LossSettings, Target
from unroll.config.strict import Probability, Strict


class Reweighting(Strict):
    """Deferred re-weighting: margins alone first, which shape what the network reads, and weights later.

    It is of training; validations and reports have the loss without weights.
    """

    after: PositiveInt      # epochs without weights
    beta: Probability       # weights as 1 / the effective number of examples (Cui et al., 2019); the paper's is 0.9999


class Settings(LossSettings):
    """Label-distribution-aware margins: the rarer a class, the further its logit has to lead (Cao et al., 2019)."""

    kind: Literal["ldam"]
    max_margin: NonNegativeFloat    # of the rarest class; others have less, by n^-¼. The paper's code has 0.5
    scale: PositiveFloat            # of the logits, in training and in predictions; the paper's code has 30
    reweight: Reweighting | None

    target: ClassVar[Target] = "classes"
    unit: ClassVar[str] = "nats per {per}, with margins"
    probabilities: ClassVar[str] = "Its probabilities have the margins of training in them, rare classes the widest."
