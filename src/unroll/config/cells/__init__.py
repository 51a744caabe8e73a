"""The kinds of cells, a file each."""

from unroll.base.kinds import Kinds

CELLS = Kinds("cell", "unroll.config.cells", "unroll.models.cells", "unroll.cells")
