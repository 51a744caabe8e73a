"""The code of the heads, a file for each kind in `unroll.config.heads`."""
