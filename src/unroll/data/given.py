"""What stands for a whole sequence, in the user's words and as a network reads it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.data.encoders import scaler_of
from unroll.data.fields import Field, Sequences
from unroll.data.spec import InputSpec
from unroll.data.tokenizers import Tokenizer

Given = Mapping[str, NDArray[Any]]      # (F,) reals or (K,) categories of the whole sequence, (L, F) of its L steps


def given_of(data: Sequences, names: Sequence[str], count: int) -> list[Given]:
    """What `count` sequences have, as the network reads it: the first ones, and those again where there are fewer.

    Where some have steps, they are the longest ones, so that there is something to write for.
    """
    items = np.arange(1 if data.bounds is None else len(data))
    if data.bounds is not None and any(data.inputs[name].per == "step" for name in names):
        items = np.argsort(-data.lengths, kind="stable")
    return [{name: of_item(data, data.inputs[name], int(items[number % len(items)])) for name in names}
            for number in range(count)]


def of_item(data: Sequences, field: Field, item: int) -> NDArray[Any]:
    """What one sequence has in a field, as the network reads it."""
    lane = np.array([item])
    if field.per == "own":
        values, lengths = field.own(lane, lane)
        return np.asarray(values[: lengths[0], 0])
    if field.per == "step":
        steps = np.arange(len(data)) if data.bounds is None else np.arange(*data.bounds[item])
        return np.asarray(field.at(steps, steps >= 0))
    return np.asarray(field.at(lane, lane >= 0)[0])


def shown(field: InputSpec, values: NDArray[Any], tokenizer: Tokenizer | None = None) -> Any:
    """As the network reads them → in the data's units and names, None for a category that training never saw.

    (F,) real numbers or (K,) categories, or steps of them, (L, ·); of another text the text.
    """
    if tokenizer is not None:
        return tokenizer.decode(values)
    if values.ndim == 2:
        return [shown(field, row) for row in values]
    if field.categories is None:
        return [float(f"{number:.6g}") for number in scaler_of(field).decode(values)]   # all that single precision has
    return [names[number - first - 1] if number > first else None
            for number, names, first in zip(values.tolist(), field.categories, field.first_numbers, strict=True)]
