"""The code of the cells, a file for each kind in `unroll.config.cells`."""
