"""What the best weights are chosen by, at each validation."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from unroll.config.head import HeadSettings

LOSS = "loss"       # of all targets together, by their weights


@dataclass(frozen=True)
class Objective:
    """A column of the validation curve."""

    name: str               # loss, or a measure of a target as `column` names it
    higher_is_better: bool
    target: str | None      # None: the loss of all of them

    def better(self, one: float, other: float) -> bool:
        return one > other if self.higher_is_better else one < other

    def rank(self, value: float) -> float:
        """A number that is lower the better the value is."""
        return -value if self.higher_is_better else value


LOWEST_LOSS = Objective(LOSS, False, None)


def column(target: str, measure: str, targets: Iterable[str]) -> str:
    """How metrics and curves name the measure of a target: by itself where there is no other target."""
    return measure if len({*targets}) == 1 else f"{target}/{measure}"


def objective(monitor: str, heads: Mapping[str, HeadSettings]) -> Objective:
    """`train.monitor`, which is `loss`, `<target>/loss` or `<target>/<measure>`."""
    if monitor == LOSS:
        return LOWEST_LOSS
    target, measure = monitor.split("/")
    return Objective(column(target, measure, heads), measure != LOSS and heads[target].measures[measure], target)


def monitors(heads: Mapping[str, HeadSettings]) -> list[str]:
    """What `train.monitor` may be."""
    return [LOSS, *(f"{name}/{measure}" for name, head in heads.items() for measure in (LOSS, *head.measures))]
