"""Files of the UCR and UEA archives."""

from typing import Literal

from unroll.config.data import Missing, Scale, SplitSettings, SplitShare


class Settings(SplitSettings):
    """A file of the archives' own format, read by aeon."""

    kind: Literal["ts"]
    train: str                      # below data/raw/
    test: str | SplitShare               # a second file, or a share of the first
    scale: Scale
    missing: Missing                # numbers of inputs that are not known
    licence: str
