"""What a forecast starts from, and the unit of its windows."""

from itertools import product

import numpy as np
import pytest
from pydantic import ValidationError

from tests.data.conftest import table, written
from tests.sources.test_table import FORECAST
from unroll.config.data import ForecastConfig
from unroll.data.frame import Frame
from unroll.data.spec import ForecastSpec
from unroll.sources.common.series import Series

WAYS = [way for way in product(("season", "last"), ("none", "level", "deviation"), (False, True))
        if way[1:] != ("level", True)]
ways = pytest.mark.parametrize(("start", "window", "log"), WAYS)
SEASON, HORIZON, CONTEXT = 3, 5, 7


def framed(start: str, window: str, log: bool = False, missing: str | None = None) -> Frame:
    spec = ForecastSpec(horizon=HORIZON, context=CONTEXT, season=SEASON, log=log, stride=1, start=start, window=window)
    return Frame.fit(spec, list(series(4, 60)), missing)


def series(count: int, length: int, seed: int = 0) -> np.ndarray:
    draw, t = np.random.default_rng(seed), np.arange(length)[None, :, None]
    return 20 + t * 0.2 + 3 * np.sin(2 * np.pi * t / SEASON) + draw.standard_normal((count, length, 2)) * [1, 3]


def cases(frame: Frame, count: int = 6) -> tuple[np.ndarray, np.ndarray]:
    both = series(count, frame.rows + HORIZON, 1).transpose(1, 0, 2)
    return both[: frame.rows], both[frame.rows :]


def unit(z: np.ndarray, window: str) -> np.ndarray:
    read = z[SEASON:]
    return {"none": np.ones(z.shape[1:]), "level": np.abs(read).mean(axis=0), "deviation": read.std(axis=0)}[window]


@ways
def test_the_decoded_target_is_the_future(start, window, log):
    frame = framed(start, window, log)
    read, future = cases(frame)
    np.testing.assert_allclose(frame.decode(read, frame.target(read, future)), future.transpose(1, 0, 2), rtol=1e-5)
    target = frame.target(read, future)
    quantiles = frame.decode(read, np.stack([target - 1, target, target + 1], axis=-1))
    assert quantiles.shape == (6, HORIZON, 2, 3) and (np.diff(quantiles, axis=-1) > 0).all()


@ways
def test_what_is_read_and_corrected_is_that_of_the_docstring(start, window, log):
    frame = framed(start, window, log)
    read, future = cases(frame)
    z, later = (np.log(values) if log else values for values in (read, future))
    size = unit(z, window)
    scaled = z / size
    if start == "last":
        expected, base = scaled[SEASON:] - scaled[-1], np.broadcast_to(z[-1], later.shape)
    else:
        phase = np.stack([scaled[t] - scaled[t - SEASON + 1 : t + 1].mean(axis=0) for t in range(SEASON, frame.rows)])
        expected = np.concatenate([phase, scaled[SEASON:] - scaled[:-SEASON]], axis=-1)
        base = z[frame.rows - SEASON + np.arange(HORIZON) % SEASON]
    np.testing.assert_allclose(frame.inputs.decode(frame.encode(read)), expected, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(frame.correction.decode(frame.target(read, future)),
                               ((later - base) / size).transpose(1, 0, 2), rtol=1e-3, atol=1e-5)
    np.testing.assert_array_equal(frame.ahead[HORIZON:], [-1] * HORIZON if start == "last" else [-3, -2, -1, -3, -2])


def test_differences_to_the_last_value_are_in_units_of_the_series():
    frame, parts = framed("last", "none"), series(4, 60)[:, SEASON:]
    for scale in (frame.inputs, frame.correction):
        assert scale.mean.tolist() == [0, 0]
        np.testing.assert_allclose(scale.deviation, parts.reshape(-1, 2).std(axis=0), rtol=1e-6)


@pytest.mark.parametrize("start", ["season", "last"])
def test_a_window_has_its_own_unit(start):
    """Ten times the values are the same to a network that reads levels, and any units to one that reads deviations."""
    frame = framed(start, "level")
    read, _ = cases(frame)
    np.testing.assert_allclose(frame.encode(10 * read), frame.encode(read), atol=1e-4)
    frame = framed(start, "deviation")
    np.testing.assert_allclose(frame.encode(10 * read + 7), frame.encode(read), atol=1e-4)


@ways
def test_a_window_of_one_value_has_finite_numbers(start, window, log):
    frame = framed(start, window, log)
    for value in (0.0, 5.0):
        if value or not log:
            read = np.full((frame.rows, 1, 2), value)
            assert np.isfinite(frame.encode(read)).all()
            assert np.isfinite(frame.decode(read, np.ones((1, HORIZON, 2)))).all()


@pytest.mark.parametrize(("start", "window"), [("last", "deviation"), ("season", "level"), ("last", "none")])
@pytest.mark.parametrize("missing", ["mask", "forward"])
def test_what_is_missing_is_filled_first(start, window, missing):
    frame = framed(start, window, missing=missing)
    read, future = cases(frame)
    read = read.copy()
    read[-1, 0], read[5, 1] = np.nan, np.nan
    encoded = frame.encode(read)
    assert np.isnan(encoded).any() == (missing == "mask") and np.isfinite(frame.target(read, future)).all()


@pytest.mark.parametrize(("walk", "expected"), [(True, "last"), (False, "season")])
def test_the_better_start_is_that_of_the_validation_split(tmp_path, walk, expected):
    draw = np.random.default_rng(2)
    t = np.arange(300)
    values = np.cumsum(draw.standard_normal(300)) if walk else 5 * np.sin(2 * np.pi * t / 7) + draw.standard_normal(300) / 9
    config = table({"x": "real"}, {"x": "forecast"}, {**FORECAST, "horizon": 3, "season": 7, "start": "better"})
    assert config.forecast is not None
    source = Series("x", [values[:, None]], ["1"], config.forecast, 0.3, 0.2)
    found = written(tmp_path, config, source).spec.forecast
    assert found is not None and found.start == expected


def test_unknown_ways_are_refused():
    with pytest.raises(ValidationError):
        ForecastConfig(**{**FORECAST, "start": "mean"})
