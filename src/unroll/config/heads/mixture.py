from typing import Annotated, ClassVar, Literal

from pydantic import Field

from unroll.config.head import PooledSettings, Target


class Settings(PooledSettings):
    """The distribution of a vector of real numbers, a mixture of normal ones (Bishop, 1994).

    The loss is minus the log-likelihood and not a setting. It is for what may come in several ways, whose mean is
    none of them: the next point of a stroke, drawn beside the pen (Graves, 2013).
    """

    kind: Literal["mixture"]
    components: Annotated[int, Field(ge=1, le=1000)]

    predicts: ClassVar[tuple[Target, ...]] = ("next_value", "value", "values")
    draw: ClassVar[str] = "unroll.generation.draws.mixture"

    @property
    def unit(self) -> str:
        return "nats per number"
