"""What the settings of every loss have. A kind of loss derives from `LossSettings`."""

from collections.abc import Callable
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from unroll.config.kinds import OneOf
from unroll.config.losses import LOSSES
from unroll.config.strict import Strict

Target = Literal["classes", "labels", "reals"]

# a normal distribution's deviation is log(1 + exp(output + DEVIATION_SHIFT)) + LEAST_DEVIATION, of scaled values; where
# a network is trained and where its values are drawn
DEVIATION_SHIFT = 0.5413        # log(e - 1): an output of zero is a deviation of 1
LEAST_DEVIATION = 1e-3          # or the likelihood of a value that repeats itself would have no bound


class LossSettings(Strict):
    """A kind adds `kind: Literal["<kind>"]` and what it alone needs."""

    kind: str

    target: ClassVar[Target]                # what it is a loss of
    unit: ClassVar[str]                     # of its mean, for readers; {per} is step or sequence
    intervals: ClassVar[bool] = False       # what is predicted are quantiles, not one value alone
    normal: ClassVar[bool] = False          # these are the quantiles of a normal distribution
    distribution: ClassVar[bool] = False    # they are of another one, which has a quantile at every level
    counts: ClassVar[bool] = False          # the numbers are whole, from 0 on, and only divided by a scale
    probabilities: ClassVar[str] = ""       # a sentence on those predicted, where they are not the frequencies of data


def _of(target: Target, intervals: bool = False) -> Callable[[LossSettings], LossSettings]:
    def check(loss: LossSettings) -> LossSettings:
        text = ""
        if loss.target != target:
            text = f"{loss.kind} is a loss of {loss.target}; this head predicts {target}"
        elif intervals and not loss.intervals:
            text = f"{loss.kind} predicts one value; a forecast needs a loss with intervals, such as quantile"
        elif loss.counts and not intervals:
            text = f"{loss.kind} is of counts, which only a forecast has; choose squared_error, huber or gaussian"
        if text:
            raise PydanticCustomError("loss", "{text}", {"text": text})
        return loss

    return check


_ANY = OneOf(LOSSES, by_name=True)
ClassLoss = Annotated[LossSettings, _ANY, AfterValidator(_of("classes"))]
LabelLoss = Annotated[LossSettings, _ANY, AfterValidator(_of("labels"))]
RealLoss = Annotated[LossSettings, _ANY, AfterValidator(_of("reals"))]
IntervalLoss = Annotated[LossSettings, _ANY, AfterValidator(_of("reals", intervals=True))]
