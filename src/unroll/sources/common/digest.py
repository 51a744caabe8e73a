"""The SHA-256 of what a source yields."""

import hashlib

import numpy as np

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
                    # the bytes of text in an array depend on its longest entry
                    text = "\0".join(map(str, array.ravel())).encode() if array.dtype.kind in "UO" else array.tobytes()
                    hashed.update(repr(array.shape).encode() + text)
                hashed.update(b"\0")
    return hashed.hexdigest()
