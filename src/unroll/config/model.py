"""Section `model`: inputs → recurrent core → heads."""

from typing import Annotated, Literal

from pydantic import Field, PositiveInt, model_validator
from pydantic_core import PydanticCustomError

from unroll.config.cell import CellSettings
from unroll.config.cells import CELLS
from unroll.config.data import Name
from unroll.config.kinds import OneOf
from unroll.config.strict import Probability, Strict


class EmbeddingConfig(Strict):
    """Of token sequences."""

    kind: Literal["embedding"]
    size: PositiveInt
    dropout: Probability


class RealConfig(Strict):
    """Of real-valued vectors."""

    kind: Literal["real"]
    size: PositiveInt | None        # of a linear layer before the core; none: the core reads the vectors themselves
    dropout: Probability


class NextTokenConfig(Strict):
    """Softmax over the next symbol."""

    kind: Literal["next_token"]
    dropout: Probability
    tied: bool      # output weights are the input's embedding (Press & Wolf, 2017; Inan et al., 2017)


Pooling = Literal["last", "mean", "max", "attention"]       # over the valid steps of a sequence


class ClassificationConfig(Strict):
    """Softmax over classes; of two classes, a sigmoid of one output."""

    kind: Literal["classification"]
    pooling: Pooling | None         # none: a class every step
    dropout: Probability


class LabelsConfig(Strict):
    """A sigmoid for each label, every step."""

    kind: Literal["labels"]
    dropout: Probability


class RegressionConfig(Strict):
    """L = 1/N Σ (y - y_true)², in units of the target's scale."""

    kind: Literal["regression"]
    pooling: Pooling | None         # none: a value every step
    dropout: Probability


class ForecastHeadConfig(Strict):
    """The next steps' distribution: a Gaussian's mean and deviation, or quantiles (Koenker & Bassett, 1978)."""

    kind: Literal["forecast"]
    distribution: Literal["gaussian", "quantile"]
    levels: Annotated[list[Annotated[float, Field(gt=0, lt=1)]], Field(min_length=3)]   # rising, 0.5 among them
    pooling: Pooling
    dropout: Probability

    @model_validator(mode="after")
    def _levels_rise(self) -> "ForecastHeadConfig":
        if sorted(set(self.levels)) != self.levels or 0.5 not in self.levels:
            text = "levels must rise and hold 0.5"
            raise PydanticCustomError("levels", "{text}", {"text": text})
        return self


InputConfig = Annotated[EmbeddingConfig | RealConfig, Field(discriminator="kind")]
CoreConfig = Annotated[CellSettings, OneOf(CELLS)]
HeadConfig = Annotated[
    NextTokenConfig | ClassificationConfig | LabelsConfig | RegressionConfig | ForecastHeadConfig,
    Field(discriminator="kind"),
]


class ModelConfig(Strict):
    inputs: dict[Name, InputConfig]
    core: CoreConfig
    heads: dict[Name, HeadConfig]
