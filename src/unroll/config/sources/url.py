"""Text from the network."""

from typing import Literal

from unroll.config.data import Sha256, TextSettings


class Settings(TextSettings):
    """A file fetched once, checked against its SHA-256 and cached outside the repository."""

    kind: Literal["url"]
    url: str
    sha256: Sha256
    unit: Literal["stream", "line"]
    encoding: str
    licence: str
