"""The kinds of poolings, a file each: how the steps of a sequence become one vector."""

from unroll.base.kinds import Kinds

POOLINGS = Kinds("pooling", "unroll.config.poolings", "unroll.models.poolings")
