"""How far apart the rows of a sequence are, and which are missing."""

from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from unroll.commands.init.columns import Column
from unroll.readers.common.find_frequency import find_frequency
from unroll.readers.common.frequency import Frequency
from unroll.readers.common.gaps import Gaps, describe, find_gaps
from unroll.readers.common.zones import readings, settle


@dataclass(frozen=True)
class Spacing:
    """The step between rows, over all sequences; without one, `words` say how far apart rows are."""

    frequency: Frequency | None = None
    words: str = ""
    gaps: Gaps | None = None        # None: no step is missing
    missing: str = ""               # in words

    @property
    def alias(self) -> str | None:
        return None if self.frequency is None else self.frequency.alias


NONE = Spacing()


def in_zone(time: Column, codes: NDArray[np.int64], zone: ZoneInfo) -> Column:
    """Times of a zone as those of UTC; as they are where they are numbers or have a place in no hour of it."""
    if time.kind != "time" or not time.local:
        return time
    order = np.argsort(codes, kind="stable")
    starts = np.diff(codes[order], prepend=-1) != 0
    both = readings(pd.Series(time.values[order].view("M8[ns]")), zone)
    if both[0].isna().any():        # the check of the data names the first
        return time
    values = np.empty_like(time.values)
    values[order] = settle(np.stack([np.asarray(read.astype("int64")) for read in both], axis=1), starts,
                           np.full(starts.sum(), np.iinfo(np.int64).min))
    return replace(time, values=values, local=False)


def spacing(time: Column, codes: NDArray[np.int64]) -> Spacing:
    order = np.argsort(codes, kind="stable")
    times: Any = time.values[order] if time.kind == "number" else time.values[order].view("M8[ns]")
    starts = np.diff(codes[order], prepend=-1) != 0
    frequency = find_frequency(times, starts, time.local)
    if frequency is None:
        return Spacing(words=_uneven(time, times, starts))
    gaps = find_gaps(times, np.append(np.flatnonzero(starts), len(times)), frequency, time.local)
    if not len(gaps):
        return Spacing(frequency, frequency.words)
    return Spacing(frequency, frequency.words, gaps, describe(gaps, times, frequency))


def _uneven(time: Column, times: Any, starts: NDArray[np.bool_]) -> str:
    distances = np.diff(times)[~starts[1:]]
    if not len(distances):
        return "one row in each sequence"
    least, most = distances.min(), distances.max()
    if time.kind == "number":
        return f"steps of {least:g}" if least == most else f"uneven steps of {least:g} to {most:g}"
    words = "" if least == most else "uneven "
    apart = f"{pd.Timedelta(least)}" + (f" to {pd.Timedelta(most)}" if least < most else "")
    return f"{words}steps of {apart}: the network sees their order, not their distance"
