"""Methods that are fitted to each series on its own, by statsmodels: exponential smoothing and Theta.

Both are fitted to all that is known of a series before an origin, and forecast normal distributions.
"""

import warnings
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from unroll.data.missing import interpolated

Values = NDArray[np.float64]
LONGEST = 24        # a season that exponential smoothing has states for; of a longer one the means are taken off first
REMEMBERED = 1000   # the last steps that are fitted: a fit takes time for each


def available() -> bool:
    """Whether statsmodels is installed."""
    return find_spec("statsmodels") is not None


def forecasts(history: Values, horizon: int, season: int, log: bool, levels: Values) -> Iterator[tuple[str, Values]]:
    """`ets` and `theta`: (H, levels) after the values (N,) of one series, in which NaN is interpolated.

    Exponential smoothing with additive errors (Hyndman et al., 2008): without a trend or with a damped one, without a
    season or with one, the least AICc of them; a season longer than 24 steps is taken off first. Theta (Assimakopoulos
    & Nikolopoulos, 2000) after taking off the season, if a test finds one.
    """
    known = np.asarray(interpolated(history[-max(REMEMBERED, 3 * season) :, None], np.zeros(1))[:, 0], np.float64)
    z: Values = np.log(known) if log else known
    for method, fit in (("ets", _ets), ("theta", _theta)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")     # of optimisers that stop early: the fit is as good as it is
            mean, deviation = fit(z, horizon, season if len(z) >= 2 * season + 2 else 1) if len(z) > 9 and np.ptp(z) \
                else (np.full(horizon, z[-1]), np.full(horizon, z.std()))
        quantiles = mean[:, None] + deviation[:, None] * ndtri(levels)
        yield method, np.exp(quantiles) if log else quantiles


def _ets(z: Values, horizon: int, season: int) -> tuple[Values, Values]:
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    if season > LONGEST:
        from statsmodels.tsa.seasonal import seasonal_decompose

        cycle = np.asarray(seasonal_decompose(z, period=season).seasonal)
        mean, deviation = _ets(z - cycle, horizon, 1)
        return mean + cycle[len(z) - season + np.arange(horizon) % season], deviation
    best: Any = None
    for seasonal in ({}, {"seasonal": "add", "seasonal_periods": season}) if season > 1 else ({},):
        for trend in ({}, {"trend": "add", "damped_trend": True}):
            fitted = ETSModel(_indexed(z), error="add", initialization_method="heuristic" if len(z) >= 10 + 2 * season
                              else "estimated", **trend, **seasonal).fit(disp=False, maxiter=200)
            best = fitted if best is None or fitted.aicc < best.aicc else best
    found = best.get_prediction(start=len(z), end=len(z) + horizon - 1)
    return np.asarray(found.predicted_mean), np.sqrt(np.asarray(found.forecast_variance))


def _theta(z: Values, horizon: int, season: int) -> tuple[Values, Values]:
    from statsmodels.tsa.forecasting.theta import ThetaModel

    fitted = ThetaModel(_indexed(z), period=season, deseasonalize=season > 1, method="additive").fit()
    smoothing = float(fitted.params["alpha"])
    # simple exponential smoothing with a drift, which Theta is (Hyndman & Billah, 2003)
    variance = fitted.sigma2 * (1 + np.arange(horizon) * smoothing**2)
    return np.asarray(fitted.forecast(horizon)), np.sqrt(variance)


def _indexed(z: Values) -> Any:
    import pandas as pd

    return pd.Series(z)
