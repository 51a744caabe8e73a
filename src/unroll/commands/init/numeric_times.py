"""Numbers that are times: 20150131, 201501, 2015013112, seconds or milliseconds since 1970, decimal years."""

import numpy as np
from numpy.typing import NDArray

from unroll.commands.init.time_names import has_time_name
from unroll.readers.common.forms import fits
from unroll.readers.common.times import DECIMAL_YEAR

DATES = {"%Y%m%d": (18_000_101, 22_001_231), "%Y%m": (180_001, 220_012), "%Y%m%d%H": (1_800_010_100, 2_200_123_123)}
SECOND = {"epoch s": 1, "epoch ms": 10**3, "epoch us": 10**6, "epoch ns": 10**9}
FROM, TO = 3 * 10**7, 41 * 10**8        # seconds: 1971 to 2099
YEARS = 1500, 2200
PARTS_OF_YEAR = (4, 12, 52, 365)
FEW = 10        # dates that may be something else


def numeric_form(name: str, values: NDArray[np.float64]) -> str | None:
    """The format in which (n,) known numbers of a column are times, None where they are rather not."""
    named, least, most = has_time_name(name), values.min(), values.max()
    if not (values == np.round(values)).all():
        return DECIMAL_YEAR if named and YEARS[0] <= least and most < YEARS[1] and _divides_years(values) else None
    different = np.unique(values)
    for form, (first, last) in DATES.items():
        if first <= least and most <= last and fits(different.astype(np.int64).astype(str), form) and (
                named or (len(different) >= FEW and (form != "%Y%m" or _rises(values)))):
            return form
    found = next((form for form, second in SECOND.items() if FROM * second <= least and most <= TO * second), None)
    return found if found is not None and (named or (found != "epoch s" and _rises(values))) else None


def _divides_years(values: NDArray[np.float64]) -> bool:
    """Whether they are about a quarter, a month, a week or a day apart."""
    distances = np.diff(np.unique(values))
    return len(distances) > 0 and any(abs(distance * parts - 1) < 0.02 for parts in PARTS_OF_YEAR
                                      for distance in (np.median(distances), distances.mean()))


def _rises(values: NDArray[np.float64]) -> bool:
    return len(values) > 1 and bool((np.diff(values) > 0).mean() > 0.95)
