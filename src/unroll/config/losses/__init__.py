"""The kinds of losses, a file each: what a wrong prediction costs."""

from unroll.base.kinds import Kinds

LOSSES = Kinds("loss", "unroll.config.losses", "unroll.models.losses", "unroll.losses")
