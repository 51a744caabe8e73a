from typing import Literal

from unroll.config.pooling import PoolingSettings


class Settings(PoolingSettings):
    """A mean weighted by v · tanh(W h + b) (Bahdanau et al., 2015)."""

    kind: Literal["attention"]
