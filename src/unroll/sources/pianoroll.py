"""Polyphonic music: 88 keys, on or off, one step per beat (Boulanger-Lewandowski et al., 2012)."""

import numpy as np

from unroll.config.sources.pianoroll import Settings
from unroll.data.source import Piece, Source
from unroll.readers.mat import load
from unroll.sources.common.access import Access
from unroll.sources.common.memory import Items


def open_source(settings: Settings, access: Access) -> tuple[Source, str, str]:
    """The published split, each piece (T, 88)."""
    (field,) = settings.inputs
    pieces: list[Piece] = []
    splits = {}
    for split, rolls in load(access.fetch(settings.url, settings.sha256)).items():
        splits[split] = np.arange(len(pieces), len(pieces) + len(rolls))
        pieces += [{field: np.asarray(roll, np.uint8)} for roll in rolls]
    return Items(pieces, splits), settings.url, settings.licence
