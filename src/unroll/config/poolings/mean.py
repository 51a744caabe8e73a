from typing import Literal

from unroll.config.pooling import PoolingSettings


class Settings(PoolingSettings):
    """The mean over steps."""

    kind: Literal["mean"]
