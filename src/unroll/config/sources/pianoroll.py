"""Polyphonic music."""

from typing import ClassVar, Literal

from unroll.config.data import Input, Sha256, SourceSettings, Target


class Settings(SourceSettings):
    """Polyphonic music, 88 keys, in a MATLAB file with its own split (Boulanger-Lewandowski et al., 2012)."""

    FIXED: ClassVar[tuple[Input, Target] | None] = ("real", "next_labels")
    LOWEST_NOTE: ClassVar[int | None] = 21      # A0 of 88 keys

    kind: Literal["pianoroll"]
    url: str
    sha256: Sha256
    licence: str
