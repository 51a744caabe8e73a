"""The model's figure of the test split beside those of methods without a network, as a file that others read."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from unroll.base.errors import UserError
from unroll.base.files import write_json


@dataclass(frozen=True)
class Comparison:
    """What a model is compared by, and how it compares; `model` and `baselines` are figures of that measure."""

    measure: str                    # as it is named in metrics/test.json: bpc, accuracy, nll, …
    unit: str                       # for readers: bits per character, accuracy, nats per step, …
    higher_is_better: bool
    model: float
    baselines: dict[str, float]     # by method; may be empty

    @property
    def better(self) -> str:
        return "higher" if self.higher_is_better else "lower"

    def ranked(self, model: str) -> list[tuple[str, float]]:
        """Methods and their figures, the best first; `model` is the name of the model among them."""
        figures = {model: self.model, **self.baselines}
        return sorted(figures.items(), key=lambda pair: pair[1], reverse=self.higher_is_better)

    def best_baseline(self) -> tuple[str, float] | None:
        ranked = [pair for pair in self.ranked("") if pair[0]]
        return ranked[0] if ranked else None


def write_comparisons(path: Path, comparisons: Mapping[str, Comparison]) -> None:
    """By target, in their order."""
    write_json(path, [{"target": name, **asdict(comparison)} for name, comparison in comparisons.items()])


def read_comparisons(path: Path) -> dict[str, Comparison]:
    """By target; raises `UserError` when there is no such file or it is not one of this version's."""
    try:
        return {row.pop("target"): Comparison(**row) for row in json.loads(path.read_text(encoding="utf-8"))}
    except FileNotFoundError:
        raise UserError("missing-file", path, "no such file. Make it with `dvc repro` or `unroll evaluate`.") from None
    except (ValueError, TypeError, KeyError, AttributeError):
        raise UserError("damaged", path, "damaged or of another version. Make it again with `dvc repro`.") from None
