"""What the settings of every encoder have. A kind of encoder derives from `EncoderSettings`."""

from typing import ClassVar, Literal

from unroll.config.strict import Probability, Strict

Field = Literal["tokens", "real"]


class EncoderSettings(Strict):
    """A kind adds `kind: Literal["<kind>"]` and what it alone needs."""

    kind: str
    dropout: Probability        # of its output

    reads: ClassVar[Field]      # the kind of field
