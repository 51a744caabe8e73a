"""Section `model`: inputs → recurrent core → heads."""

from typing import Annotated, Literal

from pydantic import Field, PositiveInt, model_validator
from pydantic_core import PydanticCustomError

from unroll.config.data import Name
from unroll.config.strict import Strict

Probability = Annotated[float, Field(ge=0, lt=1)]


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


class _Core(Strict):
    hidden_size: PositiveInt
    num_layers: PositiveInt
    dropout: Probability            # between layers, so without effect on one layer


class _Recurrent(_Core):
    bidirectional: bool             # a second recurrence from the end on (Schuster & Paliwal, 1997), its state beside
    #                                 the first one's; not where the target is the future of the input
    recurrent_init: Literal["orthogonal", "uniform"]        # orthogonal keeps the norm of h at the start
    #                                                         (Saxe et al., 2014; Le et al., 2015)


class RNNConfig(_Recurrent):
    """The plain recurrence of Elman (1990)."""

    kind: Literal["rnn"]
    nonlinearity: Literal["tanh", "relu", "sigmoid", "identity"]


class LSTMConfig(_Recurrent):
    """Hochreiter & Schmidhuber (1997) with the forget gates of Gers et al. (2000)."""

    kind: Literal["lstm"]
    forget_bias: float      # above 0, open gates at the start carry gradients further (Jozefowicz et al., 2015)


class GRUConfig(_Recurrent):
    """Cho et al. (2014), in the variant that resets after the matrix product, as cuDNN and ONNX have it."""

    kind: Literal["gru"]


class MLPConfig(_Core):
    """A perceptron on the last `window` steps: what a network without recurrence makes of them."""

    kind: Literal["mlp"]
    window: PositiveInt | None      # none: the longest training sequence


class CNNConfig(_Core):
    """Causal convolutions over time; layer l looks back (kernel_size - 1) · 2^l steps (Bai et al., 2018)."""

    kind: Literal["cnn"]
    kernel_size: Annotated[int, Field(ge=2)]


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
RecurrentConfig = RNNConfig | LSTMConfig | GRUConfig
CoreConfig = Annotated[RNNConfig | LSTMConfig | GRUConfig | MLPConfig | CNNConfig, Field(discriminator="kind")]
HeadConfig = Annotated[
    NextTokenConfig | ClassificationConfig | LabelsConfig | RegressionConfig | ForecastHeadConfig,
    Field(discriminator="kind"),
]


class ModelConfig(Strict):
    inputs: dict[Name, InputConfig]
    core: CoreConfig
    heads: dict[Name, HeadConfig]
