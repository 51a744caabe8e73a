from typing import ClassVar, Literal

from unroll.config.pooling import PoolingSettings


class Settings(PoolingSettings):
    """The last step that each direction has read."""

    kind: Literal["last"]

    whole: ClassVar[bool] = False
