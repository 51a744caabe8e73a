"""Recurrent sequence models, trained, measured and sampled reproducibly."""

import os

# Threads that wait for each other spin a moment only, then sleep. Left alone, GNU OpenMP spins for so long that beside
# one other busy process training is over ten times slower: the waiting thread keeps the core that it waits for. Read
# when OpenMP loads, so it stands before any other import; `benchmarks/spin.py` measures it.
os.environ.setdefault("GOMP_SPINCOUNT", "3000")

__version__ = "0.1.0"
