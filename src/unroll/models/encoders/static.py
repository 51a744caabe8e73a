"""Numbers of a whole sequence."""

from unroll.models.encoders import real


class Encoder(real.Encoder):
    pass
