"""Docstrings as a corpus."""

from typing import Literal

from unroll.config.data import TextSettings


class Settings(TextSettings):
    """The docstrings of an installed package: English, mathematics and code without a download."""

    kind: Literal["docs"]
    package: str                # its name when it is installed, or when it is imported
    version: str                # another version is another text, and is refused
    unit: Literal["stream"]
