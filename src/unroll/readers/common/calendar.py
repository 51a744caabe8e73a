"""What the calendar says of times: the hour, the weekday, the month."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from unroll.readers.common.frequency import Frequency

FEATURES: dict[str, Callable[[Any], Any]] = {
    "hour": lambda times: times.hour,
    "weekday": lambda times: times.day_name(),
    "day": lambda times: times.day,
    "week": lambda times: times.isocalendar().week,
    "month": lambda times: times.month,
    "quarter": lambda times: times.quarter,
    "day_of_year": lambda times: times.dayofyear,
}


def features(times: NDArray[np.datetime64], names: Sequence[str], zone: str | None) -> NDArray[Any]:
    """(n,) times → (n, K) names of what each of K features is, as texts; in the `zone`, of times that have one."""
    index = pd.DatetimeIndex(times if zone is None else on_the_wall(times, zone))
    return np.stack([np.asarray(FEATURES[name](index)).astype(str).astype(object) for name in names], axis=1)


def completed(times: NDArray[np.datetime64], known: NDArray[np.bool_], frequency: Frequency) -> NDArray[np.datetime64]:
    """(n,) times at the `known` of (m,) steps, of which the first is one → all steps' times."""
    found = np.empty(len(known), times.dtype)
    found[known] = times
    for at in np.flatnonzero(~known):
        found[at] = frequency.after(found[at - 1])
    return found


def following(last: np.datetime64, steps: int, frequency: Frequency, zone: str | None) -> NDArray[np.datetime64]:
    """(steps,) the times after the last one; days, months and so on are those of the `zone`."""
    hours = not frequency.months and not frequency.business and frequency.distance < np.timedelta64(1, "D")
    if zone is None or hours:
        return np.array([frequency.after(last, number) for number in range(1, steps + 1)])
    return in_utc(following(on_the_wall(np.array([last]), zone)[0], steps, frequency, None), zone)


def on_the_wall(times: NDArray[np.datetime64], zone: str) -> NDArray[np.datetime64]:
    return np.asarray(pd.DatetimeIndex(times).tz_localize("UTC").tz_convert(zone).tz_localize(None))


def in_utc(times: NDArray[np.datetime64], zone: str) -> NDArray[np.datetime64]:
    """Of an hour that comes twice the second one, and the next that there is in place of one that is left out."""
    local = pd.DatetimeIndex(times).tz_localize(zone, ambiguous=np.zeros(len(times), bool), nonexistent="shift_forward")
    return np.asarray(local.tz_convert("UTC").tz_localize(None))
