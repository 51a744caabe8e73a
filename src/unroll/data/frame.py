"""The frame of a forecast, fitted on the training split and restored from the spec."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unroll.data.encoders import Moments, Reals, Scaler
from unroll.data.missing import Missing, filled_window
from unroll.data.npy import stretch_of, stretches
from unroll.data.spec import ForecastSpec, FrameScales, Spec

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Frame:
    """How a window of a series becomes the network's input, and its output a forecast.

    With season m and z the series (or its logarithm), the network reads z_t - mean(z_{t-m+1} … z_t), which shows
    the phase, and z_t - z_{t-m}, which shows the growth. Its output is z_{t+h} - z_{t+h-k·m}, the correction of the
    seasonal naive forecast, with the least k for which that value is known. All of them have mean 0 and deviation 1
    in training.

    A forecast that starts at the last value corrects that one, and the network reads z_t - z_T alone (Lin et al.,
    2023), both in units of the series' deviation. Where a window is divided by its own unit, the level or the deviation
    of what is read of it, so is all of this: seasons are then multiples of the level.

    Of counts, z = log(1 + y) is read as well, and the output is y divided by its mean in training: its distribution is
    one of whole numbers, which a correction is not.
    """

    forecast: ForecastSpec
    inputs: Scaler
    correction: Scaler
    missing: Missing | None = None      # how NaN in a window is filled; None: there is none

    @classmethod
    def fit(cls, forecast: ForecastSpec, series: Iterable[Reals], missing: Missing | None = None) -> "Frame":
        """On the training part of each series, (N, D), in one pass and in constant memory."""
        inputs, correction, level, frame = Moments(), Moments(), Moments(), cls.plain(forecast, missing)
        for values in series:
            for _, stretch in stretches(values) if forecast.counts else ():
                level.add(stretch)
            for read, corrected in frame._parts(values):
                inputs.add(read)
                correction.add(corrected)
        scalers = inputs.scaler(), correction.scaler()
        if forecast.counts:
            mean = level.mean
            return cls(forecast, scalers[0], Scaler(np.zeros_like(mean), np.where(mean > 0, mean, 1)), missing)
        if forecast.start == "last" and forecast.window == "none":
            scalers = scalers[0].centred, scalers[1].centred
        return cls(forecast, *scalers, missing)

    def _parts(self, values: Reals) -> Iterator[tuple[Values, Values]]:
        """What is read (n, F), and what is corrected (n, D), of a series (N, D)."""
        forecast, season = self.forecast, self.forecast.season
        if forecast.window != "none":
            for first in range(0, len(values) - self.rows - forecast.horizon + 1, forecast.context):
                window = values[first : first + self.rows + forecast.horizon, None]
                read, future = window[: self.rows], window[self.rows :]
                yield self._read(_z(forecast, read))[:, 0], self._correction(read, future)[:, 0]
            return
        # what is missing is filled window by window, here as there
        step = stretch_of(values.shape[1]) if self.missing is None else forecast.context
        for first in range(0, len(values) - season, step):
            z = _z(forecast, values[first : first + season + step])
            if forecast.start == "last":
                yield z[season:], z[season:]
            else:
                yield self._read(z[:, None])[:, 0], z[season:] - z[:-season]

    @classmethod
    def plain(cls, forecast: ForecastSpec, missing: Missing | None) -> "Frame":
        """Without scales."""
        one = Scaler(np.zeros(1), np.ones(1))
        return cls(forecast, one, one, missing)

    def errors(self, values: Reals) -> Iterator[Values]:
        """(n, D) absolute errors of what forecasts start from, of windows of a series (N, D) that do not overlap."""
        for first in range(0, len(values) - self.rows - self.forecast.horizon + 1, self.forecast.horizon):
            window = values[first : first + self.rows + self.forecast.horizon, None]
            yield np.abs(_z(self.forecast, window[self.rows :]) - self.naive(window[: self.rows]))[:, 0]

    @classmethod
    def restore(cls, forecast: ForecastSpec, scales: FrameScales, missing: Missing | None = None) -> "Frame":
        return cls(forecast, Scaler.restore(scales.inputs), Scaler.restore(scales.correction), missing)

    def state(self) -> FrameScales:
        return FrameScales(inputs=self.inputs.state(), correction=self.correction.state())

    @property
    def rows(self) -> int:
        """Steps of a window: the context and one season before it."""
        return self.forecast.context + self.forecast.season

    @property
    def ahead(self) -> NDArray[np.int64]:
        """(2 · H,) the steps ahead, then the step that each of them is compared with, from a window's end on."""
        step = np.arange(self.forecast.horizon)
        return np.concatenate([step, self._base])

    @property
    def _base(self) -> NDArray[np.int64]:
        step, season = np.arange(self.forecast.horizon), self.forecast.season
        return step % season - season if self.forecast.start == "season" else np.full(len(step), -1)

    def encode(self, window: Reals) -> NDArray[np.float32]:
        """(rows, B, D) of the series → (context, B, F) of the network; with `mask`, NaN where a value is missing."""
        return self.inputs.encode(self._read(_z(self.forecast, window)))

    def target(self, window: Reals, future: Reals) -> NDArray[np.float32]:
        """(rows, B, D) and the (H, B, D) after it → (B, H, D), the corrections; NaN where the future is."""
        return self.correction.encode(self._correction(window, future).transpose(1, 0, 2))

    def decode(self, window: Reals, correction: Reals) -> Values:
        """(rows, B, D) and corrections (B, H, D, …) → values of the series."""
        unscaled = np.moveaxis(self.correction.decode(np.moveaxis(correction, 2, -1)), -1, 2)
        if self.forecast.counts:        # whole numbers but for the rounding of the scale; a mean of them is none
            whole = np.rint(unscaled)
            return np.where(np.abs(unscaled - whole) <= 1e-6 * np.abs(whole).clip(1), whole, unscaled)
        many = [1] * (correction.ndim - 3)
        base = self.naive(window).transpose(1, 0, 2)        # (B, H, D)
        if self.forecast.window != "none":
            unit = self._unit(self._filled(_z(self.forecast, window)))          # (B, D)
            unscaled = unscaled * unit.reshape(len(unit), 1, -1, *many)
        z = base.reshape(*base.shape, *many) + unscaled
        return np.exp(z) if self.forecast.log else z

    def filled(self, window: Reals) -> Reals:
        """(rows, B, D) of the series without NaN."""
        return window if self.missing is None else filled_window(window, self.missing, self.forecast.season)

    def naive(self, window: Reals) -> Values:
        """(H, B, D) what a forecast corrects: the last known value at the same place of the season, or the last one."""
        return np.asarray(self._filled(_z(self.forecast, window))[self._base])

    def _correction(self, window: Reals, future: Reals) -> Values:
        if self.forecast.counts:
            return future.astype(np.float64)
        correction = _z(self.forecast, future) - self.naive(window)
        return correction if self.forecast.window == "none" else correction / self._unit(
            self._filled(_z(self.forecast, window)))

    def _read(self, z: Values) -> Values:
        """(season + C, B, D) → (C, B, F), features of what is filled, and NaN again where a mask is read."""
        season, filled = self.forecast.season, self._filled(z)
        filled = filled if self.forecast.window == "none" else filled / self._unit(filled)
        features = _features(filled, season) if self.forecast.start == "season" else filled[season:] - filled[-1]
        if self.forecast.counts:
            features = np.concatenate([features, filled[season:]], axis=-1)
        if self.missing != "mask":
            return features
        unknown = np.isnan(z[season:])
        return np.where(np.concatenate([unknown] * (features.shape[-1] // z.shape[-1]), axis=-1), np.nan, features)

    def _unit(self, filled: Values) -> Values:
        """(rows, B, D) → (B, D), the mean size or the deviation of the context; 1 of a window of zeros."""
        read = filled[self.forecast.season :]
        level = np.abs(read).mean(axis=0)
        if self.forecast.window == "deviation":
            deviation = read.std(axis=0)
            level = np.where(deviation > 1e-6 * level, deviation, level)
        return np.where(level > 0, level, 1.0)

    def _filled(self, z: Values) -> Values:
        return z if self.missing is None else np.asarray(filled_window(z, self.missing, self.forecast.season))


def frame_of(spec: Spec) -> Frame:
    """The frame of a forecast, which belongs to one of the targets."""
    (name,) = (name for name, target in spec.targets.items() if target.frame is not None)
    frame = spec.targets[name].frame
    assert spec.forecast is not None and frame is not None
    return Frame.restore(spec.forecast, frame, spec.inputs[name].missing)


def _z(forecast: ForecastSpec, series: Reals) -> Values:
    values = series.astype(np.float64)
    return np.log1p(values) if forecast.counts else np.log(values) if forecast.log else values


def _features(z: Values, season: int) -> Values:
    """(season + C, B, D) → (C, B, 2·D), or (C, B, D) without a season."""
    growth = z[season:] - z[:-season]
    if season == 1:
        return growth
    sums = np.cumsum(np.concatenate([np.zeros_like(z[:1]), z]), axis=0)
    level = (sums[season + 1 :] - sums[1:-season]) / season
    return np.concatenate([z[season:] - level, growth], axis=-1)
