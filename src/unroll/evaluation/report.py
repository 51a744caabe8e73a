"""What an evaluation comes to, whatever the task."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from unroll.base.measures import compared

Metrics = dict[str, float]


@dataclass(frozen=True)
class Report:
    """`metrics` are named `<split>/<measure>` and `baseline/<method>_<measure>`; `measure` is the one to compare."""

    metrics: Metrics
    measure: str                        # accuracy, nll, mse, …
    unit: str                           # what an axis says of it
    higher_is_better: bool
    draw: Callable[[Path], None]        # the task's own pictures and tables, into a folder

    @property
    def compared(self) -> Mapping[str, float]:
        """The baselines' figures by method."""
        return compared(self.metrics, self.measure)

