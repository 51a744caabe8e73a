from typing import ClassVar, Literal

from pydantic import PositiveInt

from unroll.config.encoder import EncoderSettings, Field


class Settings(EncoderSettings):
    """Vectors of real numbers: themselves, or a linear layer of them."""

    kind: Literal["real"]
    size: PositiveInt | None        # of the linear layer; none: the core reads the vectors themselves

    reads: ClassVar[Field] = "real"
