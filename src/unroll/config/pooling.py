"""What the settings of every pooling have. A kind of pooling derives from `PoolingSettings`."""

from typing import Annotated, ClassVar

from unroll.config.kinds import OneOf
from unroll.config.poolings import POOLINGS
from unroll.config.strict import Strict


class PoolingSettings(Strict):
    """A kind adds `kind: Literal["<kind>"]` and what it alone needs."""

    kind: str

    whole: ClassVar[bool] = True        # it needs every step of a sequence, so that a carried state is not enough


Pooling = Annotated[PoolingSettings, OneOf(POOLINGS, by_name=True)]
