"""The kinds of encoders, one file per kind: how a field becomes one vector per step."""

from unroll.base.kinds import Kinds

ENCODERS = Kinds("encoder", "unroll.config.encoders", "unroll.models.encoders")
