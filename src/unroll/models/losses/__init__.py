"""The code of the losses, a file for each kind in `unroll.config.losses`."""
