"""The SHA-256 of what a source yields."""

import hashlib

import numpy as np

from unroll.data.npy import stretches
from unroll.data.source import SPLITS, Source


def digest(source: Source) -> str:
    """SHA-256 over the splits and their content."""
    hashed = hashlib.sha256()
    for split in SPLITS:
        hashed.update(split.encode() + b"\0")
        for piece in source.pieces(split):
            for value in piece.values():
                if isinstance(value, str):
                    hashed.update(value.encode())
                else:
                    array = np.asarray(value)
                    hashed.update(repr(array.shape).encode())
                    if array.dtype.kind in "UO":        # the bytes of text depend on the longest entry
                        hashed.update("\0".join(map(str, array.ravel())).encode())
                    else:
                        for _, rows in stretches(np.atleast_1d(array)):
                            hashed.update(rows.tobytes())
                hashed.update(b"\0")
    return hashed.hexdigest()
