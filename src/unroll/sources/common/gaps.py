"""The step of a table's times, and where steps are missing."""

from collections.abc import Callable
from typing import Any

import numpy as np

from unroll.base.errors import UserError
from unroll.config.sources.table import Settings
from unroll.readers.common.advice import named
from unroll.readers.common.columns import Columns
from unroll.readers.common.find_frequency import MOST
from unroll.readers.common.frequency import Frequency
from unroll.readers.common.gaps import Gaps, check_fill, describe
from unroll.readers.common.sequences import Sequences
from unroll.readers.common.timeline import Timeline


def find_missing(settings: Settings, table: Columns, sequences: Sequences) -> tuple[Frequency | None, Gaps | None]:
    """The step, None where times have none; and the gaps, None where there are none.

    Raises `UserError` on a setting that is no step, on times without one, and where gaps are refused.
    """
    times = sequences.times
    if times is None:
        return None, None
    frequency = times.frequency() if settings.frequency is None else _named(settings.frequency, times)
    if settings.gaps == "ignore":
        return frequency, None
    if frequency is None:
        raise UserError("bad-time", "data.frequency", f"the times of column {settings.time!r} have no step on which "
                        "nearly all agree. Name it, or set data.gaps=ignore.")
    gaps = times.gaps(frequency)
    if not len(gaps):
        return frequency, None
    if settings.gaps == "refuse":
        raise UserError("bad-time", table.where(sequences.row(int(gaps.rows[0])), settings.time), f"before it, "
                        f"{describe(gaps, times, frequency)}. Add the rows, or set {named('gaps')} to split, fill or "
                        "ignore.")
    if settings.gaps == "fill":
        check_fill(gaps, times, frequency, lambda place: table.where(sequences.row(place), settings.time))
    return frequency, gaps


def time_of(sequences: Sequences, frequency: Frequency | None, gaps: Gaps | None, kept: str) -> \
        Callable[[int, int], str] | None:
    """The time of a sequence's step, or None where times have no step or some are missing and are `kept` so."""
    times = sequences.times
    if times is None or frequency is None or (kept == "ignore" and len(times.gaps(frequency))):
        return None
    clock, starts, filled = times, sequences.offsets, gaps is not None and kept == "fill"

    def found(number: int, step: int) -> str:
        first = int(starts[number]) + (0 if filled else step)
        time: Any = clock[first : first + 1][0]
        time = frequency.after(time, step) if filled else time
        return str(np.datetime_as_string(time, unit="auto")) if isinstance(time, np.datetime64) else f"{time:.12g}"

    return found


def _named(alias: str, times: Timeline) -> Frequency:
    try:
        frequency = Frequency(alias)
    except ValueError:
        raise UserError("bad-time", "data.frequency", f"{alias!r} is no step. Give one as pandas names it: h, 15min, "
                        "D, B for business days, W, MS for months; or a number.") from None
    if (frequency.number != (times.unit is None)) or times.on(frequency) < MOST:
        usual = times.frequency()
        raise UserError("bad-time", "data.frequency", f"the rows are not {frequency.words}, but "
                        f"{'at uneven distances' if usual is None else usual.words}. Correct it, or set it to null.")
    return frequency
