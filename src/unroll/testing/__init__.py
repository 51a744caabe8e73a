"""What an extension must keep, as checks that its author runs: each raises `AssertionError`, naming what fails.

    from unroll.testing import check_cell

    def test_my_cell():
        check_cell("mine")
"""

from unroll.testing.cells import check_cell

__all__ = ["check_cell"]
