"""Times of a clock on a wall, which is set forward and back, as times in UTC."""

from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from unroll.base.errors import UserError
from unroll.readers.common.advice import named

AUTUMN = (3, 4, 10, 11)     # months in which clocks are set back, on either half of the earth


def zone_of(name: str) -> ZoneInfo:
    """Raises `UserError` on a name that is none."""
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, LookupError):      # no such file, a folder, or not in the database
        raise UserError("unknown-name", named("time_zone"), f"{name!r} is no time zone. Give one such as Europe/Berlin "
                        "or America/New_York.") from None


def readings(times: Any, zone: ZoneInfo) -> tuple[Any, Any]:
    """Series of times without a zone → the same in UTC, read as before clocks are set back, and as after.

    NaT where clocks are set forward over a time.
    """
    def read(summer: bool) -> Any:
        return times.dt.tz_localize(zone, ambiguous=np.full(len(times), summer), nonexistent="NaT").dt.tz_convert("UTC")

    return read(True), read(False)


def settle(times: NDArray[np.int64], starts: NDArray[np.bool_], last: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n, 2) readings of the times of sequences → (n,), of each the first that is later than the time before.

    Before the rows that are `starts` (n,) are the times `last`, one of each.
    """
    settled = times[:, 0].copy()
    before = np.zeros(len(times), np.int64)
    before[starts] = last
    for row in np.flatnonzero(times[:, 0] != times[:, 1]):
        if not settled[row] > (before[row] if starts[row] else settled[row - 1]):
            settled[row] = times[row, 1]
    return settled


def set_back(before: Any, after: Any) -> bool:
    """Whether a clock may have been set back between two times: by up to an hour, early on a Sunday in autumn."""
    stamp = pd.Timestamp(after)
    early = stamp.dayofweek == 6 and stamp.hour <= 3 and stamp.month in AUTUMN
    return bool(early and np.timedelta64(0, "h") <= before - after <= np.timedelta64(1, "h"))
