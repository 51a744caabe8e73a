"""Polyphonic music: 88 keys, on or off, one step per beat (Boulanger-Lewandowski et al., 2012)."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.config.sources.pianoroll import Settings
from unroll.data.source import Source
from unroll.readers.mat import PARTS, load
from unroll.sources.common.access import Access
from unroll.sources.common.memory import Items, Lazy
from unroll.sources.common.stored import Pieces


def open_source(settings: Settings, access: Access) -> tuple[Source, str, str]:
    """The published split, each piece (T, 88), copied to disk: a split at a time is in memory, as the file has it."""
    (field,) = settings.inputs
    file = access.fetch(settings.url, settings.sha256)
    splits = {}

    def rolls() -> Iterator[NDArray[Any]]:
        count = 0
        for split in PARTS:
            found = load(file, split)
            splits[split] = np.arange(count, count + len(found))
            count += len(found)
            yield from (np.asarray(roll, np.uint8) for roll in found)
            del found       # before the next one is read

    stored = Pieces(access.scratch, ([roll] for roll in rolls()))
    return Items(Lazy(len(stored), lambda at: {field: stored[at]}), splits), settings.url, settings.licence
