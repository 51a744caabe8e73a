"""The kinds of losses, one file per kind: what a wrong prediction costs."""

from unroll.base.kinds import Kinds

LOSSES = Kinds("loss", "unroll.config.losses", "unroll.models.losses", "unroll.losses")
