from collections.abc import Mapping
from typing import ClassVar, Literal

from unroll.config.head import Generated, HeadSettings, Target
from unroll.config.loss import LabelLoss


class Settings(HeadSettings):
    """Any number of labels at each step: a sigmoid for each."""

    kind: Literal["labels"]
    loss: LabelLoss

    predicts: ClassVar[tuple[Target, ...]] = ("labels", "next_labels")
    measures: ClassVar[Mapping[str, bool]] = {"frame_accuracy": True}
    generates: ClassVar[Generated | None] = "music"
    draw: ClassVar[str] = "unroll.generation.draws.labels"

    @property
    def unit(self) -> str:
        return self.loss.unit
