from typing import Literal

from unroll.config.cell import RecurrentSettings


class Settings(RecurrentSettings):
    """Gated recurrent units (Cho et al., 2014), in the variant of cuDNN and ONNX: reset after the matrix product."""

    kind: Literal["gru"]
