"""The kinds of sources: settings here, code in `unroll.sources`."""

from unroll.base.kinds import Kinds

SOURCES = Kinds("source", "unroll.config.sources", "unroll.sources", "unroll.sources")
