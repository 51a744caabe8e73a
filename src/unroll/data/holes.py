"""What is known of a field."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Holes:
    """Which numbers of a field are known, where not all of them are."""

    known: NDArray[np.bool_]        # (N,) or (N, F)
    totals: NDArray[np.int64]       # (N + 1,) known numbers in all rows before

    @classmethod
    def of(cls, known: NDArray[np.bool_]) -> "Holes":
        return cls(known, np.concatenate([[0], known.reshape(len(known), -1).sum(axis=1).cumsum()]))

    @property
    def width(self) -> int:
        """Numbers of a row."""
        return int(np.prod(self.known.shape[1:]))
