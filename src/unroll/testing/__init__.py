"""What an extension must keep, as checks that its author runs: each raises `AssertionError`, naming what fails.

    from unroll.testing import check_cell

    def test_my_cell():
        check_cell("mine")
"""

from unroll.testing.cells import check_cell
from unroll.testing.heads import check_head
from unroll.testing.losses import check_loss
from unroll.testing.sources import check_source

__all__ = ["check_cell", "check_head", "check_loss", "check_source"]
