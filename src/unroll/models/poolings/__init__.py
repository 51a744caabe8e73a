"""The code of the poolings, a file for each kind in `unroll.config.poolings`."""
