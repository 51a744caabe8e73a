"""Categories of a whole sequence."""

from unroll.models.encoders import categories


class Encoder(categories.Encoder):
    pass
