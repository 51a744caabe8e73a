"""Polyphonic music: 88 keys, on or off, a step a beat (Boulanger-Lewandowski et al., 2012)."""

from pathlib import Path

import numpy as np
from scipy.io import loadmat
from scipy.io.matlab import MatReadError

from unroll.base.errors import UserError
from unroll.config.data import PianorollData
from unroll.data.source import Piece
from unroll.sources.in_memory import Items


def open_pianoroll(config: PianorollData, file: Path) -> Items:
    """The published split: `traindata`, `validdata`, `testdata`, each piece (T, 88)."""
    try:
        content = loadmat(file)
        parts = {split: content[name][0] for split, name in
                 (("train", "traindata"), ("validation", "validdata"), ("test", "testdata"))}
    except (MatReadError, ValueError, LookupError, TypeError, NotImplementedError) as error:
        raise UserError(f"{file}: not a MATLAB file with traindata, validdata and testdata ({error}).") from None
    (field,) = config.inputs
    pieces: list[Piece] = []
    splits = {}
    for split, rolls in parts.items():
        splits[split] = np.arange(len(pieces), len(pieces) + len(rolls))
        pieces += [{field: np.asarray(roll, np.uint8)} for roll in rolls]
    return Items(pieces, splits)
