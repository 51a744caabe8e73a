"""The kinds of cells, one file per kind."""

from unroll.base.kinds import Kinds

CELLS = Kinds("cell", "unroll.config.cells", "unroll.models.cells", "unroll.cells")
