"""Inputs that the calendar makes of a table's times."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.base.errors import UserError
from unroll.config.sources.table import Settings
from unroll.data.npy import stretch_of
from unroll.readers.common.calendar import completed, features
from unroll.readers.common.frequency import Frequency
from unroll.readers.common.gaps import Gaps
from unroll.readers.common.sequences import Sequences
from unroll.sources.common.stored import Labels


def calendars(settings: Settings, sequences: Sequences, frequency: Frequency | None, gaps: Gaps | None,
              scratch: Path | None) -> dict[str, Labels]:
    """Each such input's (N, K), of the rows as they follow one another, those that fill gaps included.

    Raises `UserError` where the steps to come would have no times.
    """
    names = [name for name, kind in settings.inputs.items() if kind == "calendar"]
    times = sequences.times
    if not names or times is None:
        return {}
    if times.unit is None or frequency is None:
        reason = "are numbers" if times.unit is None else "have no step on which nearly all agree"
        raise UserError("bad-time", f"data.inputs.{names[0]}", f"the times of column {settings.time!r} {reason}, so "
                        "that no calendar says when the next steps are. Leave the input out.")
    known: NDArray[np.bool_] | None = None
    if gaps is not None and settings.gaps == "fill":
        known = np.insert(np.ones(len(times), bool), np.repeat(gaps.rows, gaps.counts), False)

    def blocks(columns: list[str]) -> Iterator[tuple[NDArray[Any], list[str]]]:
        every = None if known is None else completed(times[:], known, frequency)
        count, step = len(times) if known is None else len(known), stretch_of(8 * len(columns))
        for first in range(0, count, step):
            own = times[first : first + step] if every is None else every[first : first + step]
            found, codes = np.unique(features(own, columns, settings.time_zone).astype(str), return_inverse=True)
            yield codes.reshape(len(own), len(columns)), found.tolist()

    return {name: Labels(scratch, blocks(settings.columns[name])) for name in names}
