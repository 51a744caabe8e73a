"""How far apart the rows of a sequence are, and which cycle that makes likely."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from unroll.commands.init.columns import Column


class Spacing(NamedTuple):
    words: str
    season: int     # steps of the cycle that is likely; 1: none


# pandas' name of a frequency → in words, steps of the likely cycle
CYCLES: dict[str, Spacing] = {name: Spacing(words, season) for name, words, season in (
    ("YS", "yearly", 1), ("YE", "yearly", 1), ("QS", "quarterly", 4), ("QE", "quarterly", 4), ("MS", "monthly", 12),
    ("ME", "monthly", 12), ("W", "weekly", 52), ("D", "daily", 7), ("B", "business days", 5), ("h", "hourly", 24),
    ("30min", "every 30 minutes", 48), ("15min", "every 15 minutes", 96), ("10min", "every 10 minutes", 144),
    ("min", "every minute", 60), ("s", "every second", 60),
)}


def spacing(time: Column, codes: NDArray[np.int64]) -> Spacing:
    """The rows of the first sequence, whose code is 0."""
    stamps = time.values[codes == 0]
    distances = np.diff(stamps)
    if not len(distances):
        return Spacing("one row", 1)
    if time.kind == "number":
        least, most = distances.min(), distances.max()
        even = most - least <= 1e-6 * abs(most)
        return Spacing(f"steps of {distances[0]:g}" if even else f"uneven steps of {least:g} to {most:g}", 1)
    found: Any = pd.infer_freq(pd.DatetimeIndex(stamps)) if len(stamps) > 2 and (distances > 0).all() else None
    if found is not None:
        return CYCLES.get(found, CYCLES.get(found.split("-")[0], Spacing(f"every {found}", 1)))
    least, most = (pd.Timedelta(int(distance)) for distance in (distances.min(), distances.max()))
    return Spacing(f"uneven steps of {least} to {most}: the network sees their order, not their distance", 1)
