"""Recurrent sequence models, trained, measured and sampled reproducibly."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from unroll.base.version import VERSION

if TYPE_CHECKING:
    from unroll.prediction.predictor import Predictor

# Threads that wait for each other spin a moment only, then sleep. Left alone, GNU OpenMP spins for so long that beside
# one other busy process training is over ten times slower: the waiting thread keeps the core that it waits for. Read
# when OpenMP loads, so it stands before any other import; `benchmarks/spin.py` measures it.
os.environ.setdefault("GOMP_SPINCOUNT", "3000")

__version__ = VERSION


def load(folder: str | Path) -> "Predictor":
    """A trained model from its folder: `.predict`, `.step` and, of a language model, `.generate`.

    Raises `unroll.base.errors.UserError` when the folder is missing, damaged or of another version.
    """
    from unroll.prediction.predictor import load  # torch is heavy, and most verbs do without it

    return load(folder)
