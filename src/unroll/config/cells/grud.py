from typing import Literal

from unroll.config.cell import RecurrentSettings


class Settings(RecurrentSettings):
    """Gated recurrent units whose inputs and state decay while numbers are missing: GRU-D (Che et al., 2018)."""

    kind: Literal["grud"]
