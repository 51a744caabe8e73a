"""The frozen configuration of one run: its schema, its reading, its keys."""

from unroll.config.load import load, parse, validate
from unroll.config.schema import SECTIONS, STAGE_SECTIONS, Config

__all__ = ["SECTIONS", "STAGE_SECTIONS", "Config", "load", "parse", "validate"]
