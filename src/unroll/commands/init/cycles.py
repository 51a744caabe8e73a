"""The cycles that the times of series make likely."""

import numpy as np
import pandas as pd

from unroll.commands.init.roles import Roles
from unroll.readers.common.frequency import DAY, Frequency

HOLES = 0.05        # steps that may be missing, by rows
USUAL = 0.5         # share of days or weeks that have equally many rows


def cycles(frequency: Frequency) -> dict[int, str]:
    """The cycles that a step makes likely, in steps, the shortest first."""
    if frequency.months:
        return {12 // frequency.months: "year"} if frequency.months < 12 and not 12 % frequency.months else {}
    if frequency.business:
        return {5: "week"}
    if isinstance(frequency.distance, float):
        return {}
    per_day = float(DAY / frequency.distance)
    sizes = {"minute": per_day / 1440, "hour": per_day / 24, "day": per_day, "week": 7 * per_day,
             "year": per_day * 365 if per_day == 1 else 52 if per_day == 1 / 7 else 0}
    whole = [(round(size), name) for name, size in sizes.items() if abs(size - round(size)) < 1e-6 and size >= 2]
    return dict([(steps, name) for steps, name in whole if name in ("day", "week", "year") or steps >= 10][:3])


def is_whole(roles: Roles) -> bool:
    """Whether so little is missing that a cycle has as many rows as steps."""
    gaps = roles.spacing.gaps
    return gaps is None or gaps.counts.sum() <= HOLES * len(roles.codes)


def cycles_of_rows(roles: Roles) -> dict[int, str]:
    """A day and a week in rows, where most have equally many: without rows at night, or at weekends."""
    found: dict[int, str] = {}
    rows, frequency = roles.codes == np.argmax(roles.lengths()), roles.spacing.frequency
    if roles.time is None or roles.time.kind != "time" or frequency is None:
        return found
    days = roles.time.values[rows].view("M8[ns]").astype("M8[D]")
    for name, cycle in (("day", days), ("week", (days.astype(np.int64) + 3) // 7)):     # 1970 began on a Thursday
        counts = pd.Series(np.unique(cycle, return_counts=True)[1]).value_counts(normalize=True)
        if counts.iloc[0] >= USUAL and counts.index[0] > 1:
            found[int(counts.index[0])] = name
    return {} if found.items() <= cycles(frequency).items() else found
