"""What stands for a whole sequence, in the user's words and as a network reads it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.data.encoders import scaler_of
from unroll.data.fields import Sequences
from unroll.data.spec import InputSpec

Given = Mapping[str, NDArray[Any]]      # (F,) reals or (K,) categories of the whole sequence, (L, F) of its L steps


def given_of(data: Sequences, names: Sequence[str], count: int) -> list[Given]:
    """What `count` sequences have, as the network reads it: the first ones, and those again where there are fewer."""
    every = np.ones(1, bool)
    return [{name: data.inputs[name].at(np.array([number % len(data)]), every)[0] for name in names}
            for number in range(count)]


def shown(field: InputSpec, values: NDArray[Any]) -> list[Any]:
    """Values (F,) or (K,) as the network reads them → numbers in the data's units, or names; None: not in training."""
    if field.categories is None:
        return [float(f"{number:.6g}") for number in scaler_of(field).decode(values)]   # all that single precision has
    found, first = [], 0
    for number, names in zip(values.tolist(), field.categories, strict=True):
        found.append(names[number - first - 1] if number > first else None)
        first += len(names) + 1
    return found
