"""Times as they are written, and as nanoseconds."""

import re
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute
from numpy.typing import NDArray

NOT_A_TIME = np.iinfo(np.int64).min     # pandas' nanoseconds of a cell that is missing or written otherwise
ISO = "ISO 8601"
OFFSET = re.compile(r"\d(Z|[+-]\d\d:?\d\d)$")
# formats beside those of strptime; in those of strptime, %q is a quarter of the year
EPOCHS = {"epoch s": "s", "epoch ms": "ms", "epoch us": "us", "epoch ns": "ns"}     # since 1970, in UTC
DECIMAL_YEAR = "decimal year"       # 1949.083 is February 1949
NUMBERS = (*EPOCHS, DECIMAL_YEAR)
PARTS_OF_YEAR = (1, 2, 4, 12)


def stamps(cells: Any, form: str | None, utc: bool = True) -> Any:
    """(N,) cells as a series of pandas' times, NaT where one is not written so.

    `form` is of strptime or one of those above, None: ISO 8601. Without `utc` a column of several offsets is a
    `ValueError`, as is a format that strptime does not know.
    """
    stripped = pd.Series([str(cell).strip() for cell in cells], dtype=object)
    if form in EPOCHS:
        return pd.to_datetime(pd.to_numeric(stripped, errors="coerce"), unit=EPOCHS[form], utc=utc, errors="coerce")
    if form == DECIMAL_YEAR:
        return pd.to_datetime(_of_years(pd.to_numeric(stripped, errors="coerce")), utc=utc)
    if form is not None and "%q" in form:
        return pd.to_datetime(_of_quarters(stripped, form), utc=utc)
    return pd.to_datetime(stripped, format=form or "ISO8601", utc=utc, errors="coerce")


def _of_quarters(cells: Any, form: str) -> Any:
    pattern = re.escape(form).replace("%Y", r"(?P<year>\d{4})").replace("%q", "(?P<quarter>[1-4])")
    if not {"%Y", "%q"} <= {*re.findall("%.", form)} or "%" in pattern.replace("%%", ""):
        raise ValueError("beside %q there has to be %Y, and nothing else")
    found = cells.str.extract(f"^{pattern}$", re.IGNORECASE).astype(float)
    return _dates(found["year"], 3 * found["quarter"] - 2)


def _of_years(years: Any) -> Any:
    """The beginning of the month or quarter where years are divided into these, else the nearest day."""
    whole = years // 1
    distance = float(np.median(np.diff(years.dropna().unique()))) if years.nunique() > 1 else 1.0
    parts = next((parts for parts in PARTS_OF_YEAR if abs(distance * parts - 1) < 0.15), None)
    if parts is None:
        start = _dates(whole, 0 * years + 1)
        return start + pd.to_timedelta(((years - whole) * (365 + start.dt.is_leap_year)).round(), unit="D")
    months = 12 * whole + ((years - whole) * parts).round() * (12 // parts)
    return _dates(months // 12, months % 12 + 1)


def _dates(years: Any, months: Any) -> Any:
    """The first day of each month, NaT where a number is NaN."""
    return pd.to_datetime({"year": years, "month": months, "day": 1}, errors="coerce")


def nanoseconds(cells: NDArray[Any], form: str | None) -> NDArray[np.int64]:
    """(N,) since 1970, NOT_A_TIME where a cell is not written so."""
    return np.asarray(stamps(cells, form).astype("datetime64[ns, UTC]").astype("int64"))


def zoned(cells: Any) -> NDArray[np.bool_]:
    """(N,) whether a time has an offset or a Z behind it."""
    found = pa.compute.match_substring_regex(pa.array(cells, pa.string()), OFFSET.pattern.replace("$", r"\s*$"))
    return np.asarray(found.to_numpy(zero_copy_only=False))
