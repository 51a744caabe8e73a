"""How the steps of a forecast come about one after another, or segment by segment."""

from typing import Literal

from pydantic import PositiveInt

from unroll.config.strict import Strict


class Decoder(Strict):
    """A recurrent layer gives the steps ahead, from the hidden units of the core on."""

    kind: Literal["recurrent", "parallel"]      # one after another, or each from the end of the window
    segment: PositiveInt                        # steps that it gives at once
