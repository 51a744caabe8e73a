"""What is known of the steps that are forecast, beside a series in Python."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.base.errors import UserError, nearest
from unroll.data.spec import Reading, Spec
from unroll.readers.common.calendar import features, following, in_utc
from unroll.readers.common.frequency import Frequency
from unroll.readers.common.times import stamps

Values = NDArray[Any]


def joined(where: str, sequence: Any, future: Any, spec: Spec) -> Any:
    """{input: values} of a sequence, to which the steps ahead of what is known of them are added."""
    needed, horizon = spec.known_ahead, 0 if spec.forecast is None else spec.forecast.horizon
    if not needed:
        raise UserError("no-effect", where, "the model reads nothing of the steps that it forecasts. Leave it out.")
    if not isinstance(future, Mapping) or not isinstance(sequence, Mapping):
        raise UserError("wrong-type", where, f"not the values of {', '.join(needed)}. Give them by name: "
                        "{name: values}.")
    for name in future:
        if name not in needed:
            raise UserError("unknown-name", where, f"unknown input {name!r}; {nearest(name, needed)}")
    found = dict(sequence)
    for name in needed:
        if name not in future:
            raise UserError("missing-value", where, f"no {name!r}, which the model also reads of the steps that it "
                            "forecasts. Give it.")
        past, later = _rows(sequence.get(name, ())), _rows(future[name])
        if len(later) != horizon:
            raise UserError("too-short" if len(later) < horizon else "unequal-lengths", f"{where}, {name}",
                            f"{len(later)} steps where {horizon} are forecast. Give as many.")
        if len(past) and past.shape[1:] != later.shape[1:]:
            raise UserError("wrong-type", f"{where}, {name}", f"of shape {later.shape} after steps of shape "
                            f"{past.shape}. Give the same columns.")
        found[name] = np.concatenate([past, later]) if len(past) else later
    return found


def _rows(values: Any) -> Values:
    """(T, F), of names as objects."""
    try:
        rows = np.asarray(values)
    except ValueError:      # rows of unequal length
        return np.array([])
    rows = rows if rows.dtype.kind in "iufb" else rows.astype(object)
    return rows[:, None] if rows.ndim == 1 else rows


def calendar_of(where: str, values: Any, reading: Reading, steps: int, horizon: int, names: Sequence[str]) -> Any:
    """(steps,) times of a series → (steps + horizon, K) of what the calendar says of them and of the steps ahead.

    Other values are what they are: the features themselves.
    """
    if not hasattr(values, "__len__") or len(values) != steps or reading.frequency is None:
        return values
    times, zone = np.asarray(values), None if reading.table is None else reading.table.time_zone
    if times.dtype.kind != "M":
        found = stamps(values, reading.time_format)
        for at in np.flatnonzero(found.isna())[:1]:
            raise UserError("bad-time", f"{where}, step {at + 1}", f"{str(values[at])!r} is no time. Give the times of "
                            f"the {steps} steps, or {', '.join(names)} of these and the {horizon} steps ahead.")
        times = found.dt.tz_localize(None).to_numpy()
        times = times if zone is None else in_utc(times, zone)
    later = following(times[-1], horizon, Frequency(reading.frequency), zone)
    return features(np.concatenate([times, later]), names, zone)
