"""Text below data/raw."""

from typing import Literal

from unroll.config.data import TextSettings


class Settings(TextSettings):
    """The user's own file, folder or glob below `data/raw/`."""

    kind: Literal["text"]
    path: str
    unit: Literal["stream", "line"]     # one long text, or short items such as names
    encoding: str
    licence: str
