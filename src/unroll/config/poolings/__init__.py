"""The kinds of poolings, one file per kind: how the outputs of a sequence's steps become one vector."""

from unroll.base.kinds import Kinds

POOLINGS = Kinds("pooling", "unroll.config.poolings", "unroll.models.poolings")
