from typing import Literal

from unroll.config.cell import RecurrentSettings


class Settings(RecurrentSettings):
    """The plain recurrence of Elman (1990)."""

    kind: Literal["rnn"]
    nonlinearity: Literal["tanh", "relu", "sigmoid", "identity"]
