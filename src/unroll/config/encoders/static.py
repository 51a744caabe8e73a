from typing import ClassVar, Literal

from pydantic import PositiveInt

from unroll.config.encoder import Field, StaticSettings


class Settings(StaticSettings):
    """Numbers of a whole sequence: themselves, or a linear layer of them."""

    kind: Literal["static"]
    size: PositiveInt | None        # of the linear layer; none: the numbers themselves

    reads: ClassVar[Field] = "static_real"
