from collections.abc import Mapping
from typing import ClassVar, Literal

from unroll.config.head import PooledSettings, Target
from unroll.config.loss import ClassLoss


class Settings(PooledSettings):
    """One of several classes, for a sequence or at each step: a softmax, or a sigmoid for two classes."""

    kind: Literal["classification"]
    loss: ClassLoss

    predicts: ClassVar[tuple[Target, ...]] = ("class", "tag", "next_category")
    measures: ClassVar[Mapping[str, bool]] = {"accuracy": True, "balanced_accuracy": True, "macro_f1": True}
    draw: ClassVar[str] = "unroll.generation.draws.classification"

    @property
    def unit(self) -> str:
        return self.loss.unit
