"""What the settings of every cell have. A kind of cell derives from `CellSettings` or `RecurrentSettings`."""

from typing import Literal

from pydantic import PositiveInt

from unroll.base.errors import UserError
from unroll.config.strict import Probability, Strict


class CellSettings(Strict):
    """Section `model.core`: layers of one cell. A kind adds `kind: Literal["<kind>"]` and what it alone needs."""

    kind: str
    hidden_size: PositiveInt
    num_layers: PositiveInt
    dropout: Probability            # between layers, so without effect on one layer

    @property
    def both_ways(self) -> bool:
        """Whether each layer also reads from the end, which takes whole sequences."""
        return False

    def check_stream(self) -> None:
        """Raise `UserError` if the cell cannot read one long stream, which comes in stretches and has no end."""


class RecurrentSettings(CellSettings):
    """Cells that can also read backwards, and whose recurrent matrices are square."""

    bidirectional: bool             # a second recurrence from the end (Schuster & Paliwal, 1997), its state beside
    #                                 the first one's; not where the target is the future of the input
    recurrent_init: Literal["orthogonal", "uniform"]        # orthogonal keeps the norm of h at the start
    #                                                         (Saxe et al., 2014; Le et al., 2015)

    @property
    def both_ways(self) -> bool:
        return self.bidirectional

    def check_stream(self) -> None:
        if self.bidirectional:
            raise UserError("conflict", "model.core.bidirectional", "the data is one long stream, read in stretches: "
                            "there is no end to read from. Set it to false, or give the data as separate sequences.")
