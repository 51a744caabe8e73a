from typing import Literal

from unroll.config.cell import RecurrentSettings


class Settings(RecurrentSettings):
    """Long short-term memory: Hochreiter & Schmidhuber (1997) with the forget gates of Gers et al. (2000)."""

    kind: Literal["lstm"]
    forget_bias: float      # above 0, open gates at the start carry gradients further (Jozefowicz et al., 2015)
