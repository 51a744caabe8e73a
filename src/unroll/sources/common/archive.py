"""Cases of the UCR and UEA archives as pieces and splits."""

from array import array
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.base.errors import UserError
from unroll.data.source import Piece
from unroll.sources.common.memory import Items, Lazy, joined, numbered
from unroll.sources.common.splits import hold_out
from unroll.sources.common.stored import Pieces

Blocks = Iterable[tuple[Any, Any]]      # cases (F, T), an array or, of unequal lengths, a list; their classes or values


def archive_pieces(inputs: Mapping[str, str], targets: Mapping[str, str], blocks: Blocks, scratch: Path | None) -> Lazy:
    """Cases as sequences (T, F), copied to disk; of their targets, 8 bytes each are in memory."""
    if len(targets) > 1 or [*inputs.values()] != ["real"]:
        raise UserError("unsupported", "data", "the archive has one input of kind real, and one class or value for "
                        "each sequence. Leave the others out.")
    (field,), (target,) = inputs, targets
    setting, wanted = f"data.targets.{target}", targets[target]
    if wanted not in ("class", "value"):
        raise UserError("unsupported", setting, f"the archive has one class or value per sequence, not {wanted}.")
    values, classes, numbers = array("d"), array("q"), dict[str, int]()

    def cases() -> Iterator[list[NDArray[Any]]]:
        for x, y in blocks:
            if wanted == "value":
                values.extend(_values(y, setting))
            else:
                classes.extend(numbers.setdefault(str(name), len(numbers)) for name in y)
            yield from ([np.asarray(case).T] for case in x)

    pieces = Pieces(scratch, cases())
    names = list(numbers)

    def piece(at: int) -> Piece:
        case = np.asfortranarray(pieces[at])    # as it lies in the archive: the last digits of sums depend on that
        return {field: case, target: values[at] if wanted == "value" else names[classes[at]]}

    return Lazy(len(pieces), piece)


def _values(y: Any, setting: str) -> Iterator[float]:
    try:
        yield from np.asarray(y).astype(np.float64).tolist()
    except ValueError:
        raise UserError("wrong-type", setting, f"{str(y[0])!r} is no number; the file has classes: use "
                        "class.") from None


def with_own_test(targets: Mapping[str, str], train: Lazy, test: Lazy, validation: float, seed: int) -> Items:
    """The archive's own test split; validation is dealt from its training split."""
    splits = hold_out(train, {}, targets, validation, 0, seed)
    splits["test"] = np.arange(len(train), len(train) + len(test))
    return Items(joined(train, test), splits, joined(numbered(len(train)), numbered(len(test))))


def with_share(targets: Mapping[str, str], pieces: Lazy, validation: float, test: float, seed: int) -> Items:
    """Both validation and test dealt from one file."""
    return Items(pieces, hold_out(pieces, {}, targets, validation, test, seed), numbered(len(pieces)))
