"""Cases of the UCR and UEA archives as pieces and splits."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from unroll.base.errors import UserError
from unroll.data.source import Piece
from unroll.sources.common.memory import Items
from unroll.sources.common.splits import deal


def archive_pieces(inputs: Mapping[str, str], targets: Mapping[str, str], x: Any, y: Any) -> list[Piece]:
    """Cases (F, T), an array or, of unequal lengths, a list, and their classes or values, as sequences (T, F)."""
    if len(targets) > 1 or [*inputs.values()] != ["real"]:
        raise UserError("unsupported", "data", "the archive has one input of kind real, and one class or value for "
                        "each sequence. Leave the others out.")
    (field,), (target,) = inputs, targets
    wanted, setting = targets[target], f"data.targets.{target}"
    values = np.asarray(y)
    if wanted == "value":
        try:
            values = values.astype(np.float64)
        except ValueError:
            raise UserError("wrong-type", setting, f"{str(values[0])!r} is no number; the file has classes: use "
                            "class.") from None
    elif wanted != "class":
        raise UserError("unsupported", setting, f"the archive has one class or value per sequence, not {wanted}.")
    return [{field: np.asarray(case).T, target: value if wanted == "value" else str(value)}
            for case, value in zip(x, values, strict=True)]


def with_own_test(targets: Mapping[str, str], train: list[Piece], test: list[Piece], validation: float,
                  seed: int) -> Items:
    """The archive's own test split; validation is dealt from its training split."""
    splits = dict(deal(len(train), _classes(targets, train), validation, 0, seed))
    splits["test"] = np.arange(len(train), len(train) + len(test))
    return Items([*train, *test], splits, [str(number + 1) for part in (train, test) for number in range(len(part))])


def with_share(targets: Mapping[str, str], pieces: list[Piece], validation: float, test: float, seed: int) -> Items:
    """Both validation and test dealt from one file."""
    splits = deal(len(pieces), _classes(targets, pieces), validation, test, seed)
    return Items(pieces, splits, [str(number + 1) for number in range(len(pieces))])


def _classes(targets: Mapping[str, str], pieces: list[Piece]) -> list[str] | None:
    (target,) = targets
    return [piece[target] for piece in pieces] if targets[target] == "class" else None
