"""What a model predicts: each of its targets."""

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from unroll.base.errors import UserError
from unroll.config.head import HeadSettings
from unroll.config.pooling import PoolingSettings
from unroll.data.encoders import scaler_of
from unroll.data.spec import TargetSpec

Values = NDArray[Any]


@dataclass(frozen=True)
class Predicted:
    name: str
    settings: HeadSettings
    spec: TargetSpec

    @property
    def kind(self) -> str:
        """The kind of head: next_token, classification, labels, regression, forecast, …"""
        return self.settings.kind

    @property
    def per(self) -> str:
        """What a prediction is of: step or sequence."""
        return self.spec.per

    @property
    def classes(self) -> list[str]:
        """Names of the classes, in the order of their probabilities; empty for other heads."""
        return list(self.spec.classes or ())

    @property
    def levels(self) -> list[float]:
        """The levels of a forecast's quantiles; empty for other heads."""
        return list(getattr(self.settings, "levels", []))

    @property
    def columns(self) -> list[str]:
        """Names of the target's numbers: the columns that the model was trained on, or 1, 2, …"""
        return list(self.spec.names or map(str, range(1, self.spec.size + 1)))

    @property
    def labels(self) -> list[str]:
        """What pictures call the target's numbers: the columns' names, or its own where it has one without a name."""
        return self.columns if self.spec.names or self.spec.size > 1 else [self.name]

    @property
    def ahead(self) -> int:
        """How many steps a prediction is ahead of the step just read: 1 where the next one is predicted."""
        return self.spec.ahead

    @property
    def pooling(self) -> PoolingSettings | None:
        pooling: PoolingSettings | None = getattr(self.settings, "pooling", None)
        return pooling

    def decode(self, predictions: Values) -> Values:
        """From the scale of training to the target's own."""
        return predictions if self.spec.scale is None else scaler_of(self.spec).decode(predictions)


class Targets:
    """The targets of a model; of a model that has one, what `Predicted` says of it."""

    def __init__(self, targets: dict[str, Predicted]) -> None:
        self.targets = targets

    @property
    def only(self) -> Predicted:
        """The target of a model that has one; raises `UserError` for others."""
        if len(self.targets) > 1:
            raise UserError("unsupported", "model", f"has several targets, {', '.join(self.targets)}. Name one: "
                            "targets[name].")
        return next(iter(self.targets.values()))

    @property
    def forecast(self) -> Predicted:
        """The forecast of a model that has one, whatever it predicts beside it."""
        return next(target for target in self.targets.values() if target.spec.frame is not None)

    @property
    def target(self) -> str:
        return self.only.name

    @property
    def kind(self) -> str:
        return self.only.kind

    @property
    def per(self) -> str:
        return self.only.per

    @property
    def classes(self) -> list[str]:
        return self.only.classes

    @property
    def levels(self) -> list[float]:
        return self.only.levels

    @property
    def columns(self) -> list[str]:
        return self.only.columns

    @property
    def ahead(self) -> int:
        return self.only.ahead
