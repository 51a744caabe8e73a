"""The kinds of heads, one file per kind: what is predicted, and all that others must know of it."""

from unroll.base.kinds import Kinds

HEADS = Kinds("head", "unroll.config.heads", "unroll.models.heads", "unroll.heads")
