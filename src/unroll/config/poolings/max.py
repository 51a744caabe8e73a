from typing import Literal

from unroll.config.pooling import PoolingSettings


class Settings(PoolingSettings):
    """The largest value of each unit over steps."""

    kind: Literal["max"]
