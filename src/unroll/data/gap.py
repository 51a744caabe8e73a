"""The codec of the time since the step before."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.data.codecs import Located, NumberCodec, Values, refuse
from unroll.data.encoders import Scaler
from unroll.data.spec import InputSpec, Names


class GapCodec(NumberCodec):
    """Times between steps, above 0, NaN at the first one, where the network reads the mean.

    It reads their logarithm, of mean 0 and deviation 1 in training, which does not depend on the unit.
    """

    def __init__(self) -> None:
        super().__init__(missing="mean")

    def fit(self, scale: str, values: Located) -> "GapCodec":
        """`scale` is that of the data's own numbers."""
        self._scaler = Scaler.fit("standard", (self._rows(value, where) for where, value in values), log=True)
        return self

    def _check(self, rows: Values, where: str, first: int) -> None:
        super()._check(rows, where, first)
        refuse("out-of-range", rows <= 0, rows, where, first, " since the step before. Steps have times that rise.")

    def dtype(self, rows: NDArray[Any]) -> np.dtype[Any]:
        return np.dtype(np.float32)

    def describe_input(self, predicted: bool, names: Names | None) -> InputSpec:
        return super().describe_input(predicted, None).model_copy(update={"gap": True})
