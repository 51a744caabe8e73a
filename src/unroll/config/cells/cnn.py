from typing import Annotated, Literal

from pydantic import Field

from unroll.config.cell import CellSettings


class Settings(CellSettings):
    """Causal convolutions over time; layer l looks back (kernel_size - 1) · 2^l steps (Bai et al., 2018)."""

    kind: Literal["cnn"]
    kernel_size: Annotated[int, Field(ge=2)]
