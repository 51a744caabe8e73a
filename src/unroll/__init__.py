"""Recurrent sequence models, trained, measured and sampled reproducibly."""

__version__ = "0.1.0"
