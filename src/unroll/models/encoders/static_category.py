"""Categories of a whole sequence."""

from unroll.models.encoders import category


class Encoder(category.Encoder):
    pass
