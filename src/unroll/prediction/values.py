"""Values of a whole sequence, and categories, checked."""

import math
from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.base.errors import UserError, nearest
from unroll.data.fields import category_numbers
from unroll.data.given import shown
from unroll.data.spec import InputSpec
from unroll.prediction.reading import refuse_unusable, to_numbers

Values = NDArray[Any]


def whole_numbers(where: str, field: InputSpec, values: Any) -> Values:
    """(F,) real numbers."""
    try:
        numbers = to_numbers(where, values).reshape(-1)
    except UserError:
        raise UserError("wrong-type", where, f"{values!r:.60} where the model reads {field.width} numbers. Give as "
                        "many.") from None
    if numbers.shape != (field.width,):
        raise UserError("wrong-type", where, f"{len(numbers)} numbers where the model reads {field.width}. Give as "
                        "many.")
    refuse_unusable(numbers[None], field.missing, lambda _, place: f"{where}, number {place + 1}")
    return numbers


def choices(field: InputSpec) -> str:
    """Which values an input takes, as far as a line can tell."""
    if field.categories is None:
        return f": {field.width} numbers" * (field.width > 1)
    return ": one of " + "; one of ".join(", ".join(names[:6]) + ", …" * (len(names) > 6) for names in field.categories)


def check_known(where: str, field: InputSpec, names: Any, numbers: Values) -> None:
    """Nothing is generated for a category that training never saw: it is rather a slip."""
    if field.categories is None or field.per == "step":
        return
    rows = numbers.reshape(-1, field.width)
    for row, given in zip(rows, np.asarray(names, dtype=str).reshape(rows.shape), strict=True):
        for name, found, known in zip(given, shown(field, row), field.categories, strict=True):
            if found is None:
                text = f"{str(name)!r} was not in training; {nearest(str(name), known)}"
                raise UserError("unknown-name", where, text)


def category_values(where: str, field: InputSpec, values: Any) -> Values:
    """The numbers of categories (K,) of a whole sequence, or of steps (T, K)."""
    per_step = field.per != "sequence"
    if not isinstance(values, np.ndarray) or values.dtype.kind != "U":
        plain = values.tolist() if isinstance(values, np.ndarray) else values
        values = np.asarray(plain, dtype=object)       # True and 2.0 as they are; rows of unequal length as one value
    rows = np.atleast_1d(values)
    rows = rows[:, None] if per_step and field.width == rows.ndim == 1 else rows
    unequal = rows.dtype == object and any(isinstance(value, list | np.ndarray | dict) for value in rows.flat)
    if unequal or rows.shape[-1] != field.width or rows.ndim != 1 + per_step:
        raise UserError("wrong-type", where, f"of shape {rows.shape} where the model reads {field.width} categories"
                        f"{' at each step' * per_step}. Give as many.")
    columns = []
    for column, known in zip(rows.reshape(-1, field.width).T, field.categories or (), strict=True):
        keys = [(type(value), value) for value in column.tolist()]      # True and 1 are equal
        different = {key: spelt(key[1], known) for key in keys}
        columns.append([different[key] for key in keys])
    rows = np.array(columns, dtype=object).T.reshape(rows.shape)
    return category_numbers(field, rows)


def spelt(value: Any, known: Collection[str]) -> str:
    """How the training data spells a category: True may be true there, 2.0 may be 2; None is an empty cell."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    text = str(value)
    if text in known:
        return text
    if text.lower() in ("true", "false"):
        others = [text.lower(), text.capitalize(), *([str(int(value))] if isinstance(value, bool | np.bool_) else [])]
    else:
        try:
            number = float(text)
            others = [str(int(number)), str(number)] if number == int(number) else []
        except (ValueError, OverflowError):     # a name, or infinite
            others = []
    return next((name for name in others if name in known), text)


