"""Values of each row of a table as values of each step."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np


def of_steps(rows: Mapping[str, Any], text: str | None, joint: str, count: Callable[[str], int]) -> dict[str, Any]:
    """Fields (R, …) of the rows of a sequence → of its steps, which are the symbols of the field `text`, or the rows.

    Cells of text follow one another, with `joint` between them, and a row's values are those of its symbols, as many
    as `count` gives. Raises `UserError` where it cannot tell.
    """
    if text is None:
        return dict(rows)
    counts = [count(cell) for cell in rows[text]] if len(rows) > 1 else []
    return {name: joint.join(own) if name == text else np.repeat(own, counts, axis=0) for name, own in rows.items()}
