"""The kinds of encoders, a file each: how a field becomes a vector a step."""

from unroll.base.kinds import Kinds

ENCODERS = Kinds("encoder", "unroll.config.encoders", "unroll.models.encoders")
