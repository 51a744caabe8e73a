"""The cycle of series: which ones their step makes likely, and which their values show."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from unroll.commands.init.cycles import cycles, cycles_of_rows, is_whole
from unroll.commands.init.roles import Roles

CYCLES = 3          # that a series must have, or it is too short for one
LONGEST = 300       # steps of a cycle that is chosen; longer ones are named
SHOWN = 0.1         # autocorrelation from which values show a cycle; so much higher, a longer one is preferred
CLEAR = 0.5         # the same of a cycle that the step does not suggest
WORSE = 1.2         # error of the value a cycle ago, by that of the last one, from which it is none
SERIES, COLUMNS = 8, 4      # at most so many are looked at
WORDS = {"minute": "a minute", "hour": "an hour", "day": "a day", "week": "a week", "year": "a year"}


class Season(NamedTuple):
    steps: int      # 1: no cycle
    reason: str     # in words


def find_season(roles: Roles, read: list[str], least: int) -> Season:
    """The season of the columns that are forecast; the shortest series has `least` steps."""
    frequency = roles.spacing.frequency
    of_rows = {} if is_whole(roles) else cycles_of_rows(roles)
    usual = of_rows or ({} if frequency is None else cycles(frequency))
    fitting = {steps: name for steps, name in usual.items() if CYCLES * steps <= least}
    if usual and not fitting:
        steps, name = next(iter(usual.items()))
        return Season(1, f": too short for a cycle of {steps}, {WORDS[name]}")
    series = _series(roles, read, bool(of_rows))
    strengths = {steps: _mean([strength(values, steps) for values in series]) for steps in fitting}
    more = {steps: min((strengths[steps] - _mean([strength(values, steps, other) for values in series])
                        for other in fitting if other < steps and not steps % other and strengths[other] >= SHOWN),
                       default=1) for steps in fitting}
    shown = [steps for steps in fitting if strengths[steps] >= SHOWN and more[steps] >= SHOWN / 2]
    chosen = [steps for steps in shown if steps <= LONGEST]
    if not chosen:
        return _without_proof(series, fitting, strengths, shown, least)
    best = chosen[0]
    for steps in chosen[1:]:
        if more[steps] >= SHOWN and 2 * CYCLES * steps <= least:
            best = steps
    others = "".join(f"; also {steps}, {WORDS[fitting[steps]]} ({strengths[steps]:.2f})"
                     for steps in shown if steps != best)
    return Season(best, f", {WORDS[fitting[best]]} (autocorrelation {strengths[best]:.2f}){others}")


def _without_proof(series: list[NDArray[np.float64]], fitting: dict[int, str], strengths: dict[int, float],
                   shown: list[int], least: int) -> Season:
    """By the step alone, unless values speak against it; or one that only the values show."""
    found = int(np.median([_period(values, least) for values in series] or [1]))
    if found > 1 and _mean([strength(values, found) for values in series]) >= CLEAR:
        return Season(found, ", found in the values (autocorrelation "
                             f"{_mean([strength(values, found) for values in series]):.2f})")
    long = "".join(f"; values show one of {steps}, {WORDS[fitting[steps]]} ({strengths[steps]:.2f}), but long"
                   for steps in shown)
    steps = next((steps for steps in fitting if steps <= LONGEST), 1)
    if steps == 1 or _mean([_lagged(values, steps) / max(_lagged(values, 1), 1e-300) for values in series]) > WORSE:
        return Season(1, f": no cycle{long}")
    return Season(steps, f", {WORDS[fitting[steps]]}, by the step alone: values show none "
                         f"(autocorrelation {strengths[steps]:.2f}){long}")


def strength(values: NDArray[np.float64], steps: int, lag: int | None = None) -> float:
    """Autocorrelation at a lag, by default of `steps`, of what is left without the moving mean over `steps`.

    NaN is unknown.
    """
    lag = lag or steps
    if len(values) <= 2 * steps:
        return 0.0
    rest = values - pd.Series(values).rolling(steps, center=True, min_periods=1).mean().to_numpy()
    both = ~np.isnan(rest[lag:]) & ~np.isnan(rest[:-lag])
    before, after = rest[:-lag][both], rest[lag:][both]
    size = np.sqrt((before @ before) * (after @ after))
    return float(before @ after / size) if size > 0 else 0.0


def _period(values: NDArray[np.float64], least: int) -> int:
    """The lag of the highest autocorrelation behind the first dip, 1 where there is none."""
    known = pd.Series(values).interpolate(limit_direction="both").to_numpy()
    steps = np.arange(len(known))
    known = known - np.polyval(np.polyfit(steps, known, 1), steps)
    power = np.abs(np.fft.rfft(known, 2 * len(known))) ** 2
    correlation = np.fft.irfft(power)[: max(3, min(least // CYCLES, LONGEST) + 1)]
    dips = np.flatnonzero(correlation < 0)
    if not len(dips) or correlation[0] <= 0:
        return 1
    return int(dips[0] + np.argmax(correlation[dips[0]:]))


def _lagged(values: NDArray[np.float64], steps: int) -> float:
    return float(np.nanmean(np.abs(values[steps:] - values[:-steps])))


def _mean(values: list[float]) -> float:
    return float(np.mean(values)) if values else 0.0


def _series(roles: Roles, read: list[str], of_rows: bool) -> list[NDArray[np.float64]]:
    """Values of the longest sequences with NaN at missing steps; or as rows follow, where most is missing, too."""
    found = []
    for code in np.argsort(-roles.lengths(), kind="stable")[:SERIES]:
        rows = np.flatnonzero(roles.codes == code)
        places = np.arange(len(rows))
        frequency, time = roles.spacing.frequency, roles.time
        if frequency is not None and time is not None and len(rows) > 1 and not of_rows:
            times = time.values[rows] if time.kind == "number" else time.values[rows].view("M8[ns]")
            steps = np.concatenate([[0], np.cumsum(frequency.steps(times, time.local)[0])])
            places = steps if steps[-1] < 2 * len(rows) else places
        for name in read[:COLUMNS]:
            values = np.full(int(places[-1]) + 1, np.nan)
            values[places] = roles.columns[name].values[rows]
            found.append(values)
    return found
