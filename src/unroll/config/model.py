"""Section `model`: inputs → recurrent core → heads."""

from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from unroll.config.data import Name
from unroll.config.strict import Strict

Probability = Annotated[float, Field(ge=0, lt=1)]


class EmbeddingConfig(Strict):
    kind: Literal["embedding"]
    size: PositiveInt
    dropout: Probability


class _Core(Strict):
    hidden_size: PositiveInt
    num_layers: PositiveInt
    dropout: Probability                                    # between layers, so without effect on one layer
    recurrent_init: Literal["orthogonal", "uniform"]        # orthogonal keeps the norm of h at the start
    #                                                         (Saxe et al., 2014; Le et al., 2015)


class RNNConfig(_Core):
    """The plain recurrence of Elman (1990)."""

    kind: Literal["rnn"]
    nonlinearity: Literal["tanh", "relu", "sigmoid", "identity"]


class LSTMConfig(_Core):
    """Hochreiter & Schmidhuber (1997) with the forget gates of Gers et al. (2000)."""

    kind: Literal["lstm"]
    forget_bias: float      # above 0, open gates at the start carry gradients further (Jozefowicz et al., 2015)


class GRUConfig(_Core):
    """Cho et al. (2014), in the variant that resets after the matrix product, as cuDNN and ONNX have it."""

    kind: Literal["gru"]


class NextTokenConfig(Strict):
    kind: Literal["next_token"]
    dropout: Probability
    tied: bool      # output weights are the input's embedding (Press & Wolf, 2017; Inan et al., 2017)


CoreConfig = Annotated[RNNConfig | LSTMConfig | GRUConfig, Field(discriminator="kind")]


class ModelConfig(Strict):
    inputs: dict[Name, EmbeddingConfig]
    core: CoreConfig
    heads: dict[Name, NextTokenConfig]
