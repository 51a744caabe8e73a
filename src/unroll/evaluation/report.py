"""What every report consists of, whatever the task."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from unroll.config.evaluate import EvaluateConfig
from unroll.data.store import Prepared
from unroll.evaluation.comparison import Comparison
from unroll.models.folder import Model

Metrics = dict[str, float]


@dataclass(frozen=True)
class Prose:
    """What the card says of a task; `{per}` is step or sequence, `{horizon}` the steps of a forecast."""

    task: str                   # continues "The model …"
    limits: tuple[str, ...]     # what the model is not good for, a sentence each
    commands: str = "`unroll predict new.csv -o out.csv` writes a table of predictions"
    example: str = "model.predict([x1, x2])     # {values}"     # `{values}`: what an input sequence is given as
    found: tuple[str, ...] = ()     # what the test split has shown, beside the figures: a clause each


@dataclass(frozen=True)
class Report:
    """The figures of a model; the best weights measured on every split, beside baselines on the test split."""

    metrics: Metrics                    # `<split>/<measure>`, `baseline/<method>_<measure>`
    measure: str                        # the one that models are compared by: accuracy, nll, mse, …
    unit: str                           # its unit or name, for readers
    higher_is_better: bool
    draw: Callable[[Path], None]        # writes the task's own pictures and tables into a folder
    prose: Prose

    def named(self, target: str) -> Metrics:
        """The metrics as they are called where there are other targets: `test/<target>/<measure>`."""
        return {re.sub(r"^(best/(?:val|train)_|[^/]+/)", rf"\g<1>{target}/", name): value
                for name, value in self.metrics.items()}

    def _method(self, name: str) -> str | None:
        """Whose `measure` the metric is, if it is a baseline's; `majority_balanced` is no method."""
        found = re.fullmatch(r"baseline/(.+)", name)
        measures = {metric.removeprefix("test/") for metric in self.metrics if metric.startswith("test/")}
        endings = [measure for measure in measures if name.endswith(f"_{measure}")]
        if found is None or max(endings, key=len, default="") != self.measure:
            return None
        return found[1].removesuffix(f"_{self.measure}")

    @property
    def comparison(self) -> Comparison:
        baselines = {method: value for name, value in self.metrics.items()
                     if (method := self._method(name)) is not None}
        return Comparison(self.measure, self.unit, self.higher_is_better, self.metrics[f"test/{self.measure}"],
                          baselines)


# model, data, name of the target, settings
Reporter = Callable[[Model, Prepared, str, EvaluateConfig], Report]
