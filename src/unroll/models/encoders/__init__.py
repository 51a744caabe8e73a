"""The code of the encoders, a file for each kind in `unroll.config.encoders`."""
