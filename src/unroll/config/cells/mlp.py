from typing import Literal

from pydantic import PositiveInt

from unroll.base.errors import UserError
from unroll.config.cell import CellSettings


class Settings(CellSettings):
    """A perceptron on the last `window` steps: what a network without recurrence makes of them."""

    kind: Literal["mlp"]
    window: PositiveInt | None      # null: the longest training sequence

    def check_stream(self) -> None:
        if self.window is None:
            raise UserError("missing-value", "model.core.window",
                            "the data is one long stream; set how many steps the window has.")
