from typing import ClassVar, Literal

from unroll.config.loss import LossSettings, Target


class Settings(LossSettings):
    """Minus the log-likelihood of the negative binomial distribution, for counts (as in DeepAR, Salinas et al., 2020).

    Its variance is μ + α·μ², that of Poisson's distribution where α is 0.
    """

    kind: Literal["negative_binomial"]

    target: ClassVar[Target] = "reals"
    unit: ClassVar[str] = "nats per number"
    intervals: ClassVar[bool] = True
    distribution: ClassVar[bool] = True
    counts: ClassVar[bool] = True
