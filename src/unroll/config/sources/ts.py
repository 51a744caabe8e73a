"""Files of the UCR and UEA archives."""

from typing import Literal

from unroll.config.data import Scale, SplitSettings, SplitShare


class Settings(SplitSettings):
    """A file of the archives' own format, read by aeon."""

    kind: Literal["ts"]
    train: str                      # below data/raw/
    test: str | SplitShare               # a second file, or a share of the first
    scale: Scale
    licence: str
