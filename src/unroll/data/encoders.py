"""Scales, classes and the frame of a forecast, each fitted on the training split and restored from the spec."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.base.errors import UserError, nearest
from unroll.data.missing import Missing, filled_window
from unroll.data.npy import stretch_of, stretches
from unroll.data.source import UNKNOWN
from unroll.data.spec import ForecastSpec, FrameScales, InputSpec, Scale, Spec, TargetSpec

Reals = NDArray[np.floating[Any]]


class Moments:
    """Mean and squared distances from it, (F,), of rows (n, F) that come in parts (Chan et al., 1979)."""

    def __init__(self) -> None:
        self.mean, self._count, self._squares = np.zeros(0), np.zeros(0), np.zeros(0)

    def add(self, part: Reals) -> None:
        """Rows, in which NaN is left out."""
        rows = part.astype(np.float64)
        if not self._count.any():
            self.mean, self._count, self._squares = (np.zeros(rows.shape[1]) for _ in range(3))
        known = ~np.isnan(rows)
        more = known.sum(axis=0)
        if not more.any():
            return
        own = rows.mean(axis=0) if known.all() else np.where(known, rows, 0).sum(axis=0) / more.clip(1)
        total = self._count + more
        off = rows - own if known.all() else np.where(known, rows - own, 0)
        between = (own - self.mean) ** 2 * self._count * more / total.clip(1)
        self._squares = self._squares + (off**2).sum(axis=0) + between
        self.mean, self._count = self.mean + (own - self.mean) * more / total.clip(1), total

    @property
    def deviation(self) -> NDArray[np.float64]:
        return np.asarray(np.sqrt(self._squares / self._count.clip(1)))

    def scaler(self) -> "Scaler":
        deviation = self.deviation
        return Scaler(self.mean, np.where(deviation > 1e-12 * np.abs(self.mean), deviation, 1.0))


@dataclass(frozen=True)
class Scaler:
    """Values (…, F), or their logarithms, to mean 0 and deviation 1 by feature, and back."""

    mean: NDArray[np.float64]       # (F,)
    deviation: NDArray[np.float64]  # (F,); 1 where a feature never changes
    log: bool = False

    @classmethod
    def fit(cls, kind: str, pieces: Iterable[Reals], log: bool = False) -> "Scaler":
        """One pass in constant memory; `none` leaves values as they are. NaN is left out."""
        moments = Moments()
        for piece in pieces:
            rows = np.atleast_1d(piece)
            for _, stretch in stretches(rows.reshape(-1, rows.shape[-1])):
                moments.add(np.log(stretch) if log else stretch)
        if kind == "none":
            return cls(np.zeros_like(moments.mean), np.ones_like(moments.mean))
        return replace(moments.scaler(), log=log)

    @classmethod
    def restore(cls, scale: Scale) -> "Scaler":
        return cls(np.array(scale.mean), np.array(scale.deviation), scale.log)

    def state(self) -> Scale:
        return Scale(mean=tuple(self.mean.tolist()), deviation=tuple(self.deviation.tolist()), log=self.log)

    def encode(self, values: Reals) -> NDArray[np.float32]:
        if self.log:
            with np.errstate(divide="ignore"):      # what is not known is 0 where it is kept
                values = np.log(values)
        return ((values - self.mean) / self.deviation).astype(np.float32)

    def decode(self, values: Reals) -> NDArray[np.float64]:
        found = np.asarray(values * self.deviation + self.mean)
        return np.exp(found) if self.log else found


def scaler_of(field: InputSpec | TargetSpec) -> Scaler:
    """The scaler of a field that has one."""
    assert field.scale is not None
    return Scaler.restore(field.scale)


@dataclass(frozen=True)
class Classes:
    """Names ↔ numbers; the names of the training split, sorted."""

    names: list[str]

    @classmethod
    def fit(cls, labels: Iterable[Any]) -> "Classes":
        return cls(sorted({name for piece in labels for name in _names(piece)} - {UNKNOWN}))

    def positions(self, labels: NDArray[Any]) -> NDArray[np.int64]:
        """Numbers (n,), -1 of a class that is none of these."""
        return np.fromiter((self._numbers.get(name, -1) for name in _names(labels)), np.int64, len(labels))

    def encode(self, labels: Any, where: str) -> NDArray[np.int64]:
        """Numbers (n,) of one label or an array of them, -1 where it is unknown.

        Raises `UserError` on a class that training never sees.
        """
        try:
            return np.fromiter(map(self._numbers.__getitem__, _names(labels)), np.int64)
        except KeyError:
            name = min(set(_names(labels)) - self._numbers.keys())
            raise UserError("unknown-class", where, f"class {name!r} is absent from the training split; "
                            f"{nearest(name, self.names)} Give training examples of it, leave it out, or choose "
                            "another data.seed.") from None

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {UNKNOWN: -1} | {name: number for number, name in enumerate(self.names)}


def _names(labels: Any) -> Iterator[str]:
    """One label, or each of an array of them."""
    for _, stretch in stretches(np.atleast_1d(labels)):
        yield from map(str, stretch.tolist())


@dataclass(frozen=True)
class Frame:
    """How a window of a series becomes the network's input, and its output a forecast.

    With season m and z the series (or its logarithm), the network reads z_t - mean(z_{t-m+1} … z_t), which shows
    the phase, and z_t - z_{t-m}, which shows the growth. Its output is z_{t+h} - z_{t+h-k·m}, the correction of the
    seasonal naive forecast, with the least k for which that value is known. All of them have mean 0 and deviation 1
    in training. Of counts, z = log(1 + y) is read as well, and the output is y divided by its mean in training: its
    distribution is one of whole numbers, which a correction is not.
    """

    forecast: ForecastSpec
    inputs: Scaler
    correction: Scaler
    missing: Missing | None = None      # how NaN in a window is filled; None: there is none

    @classmethod
    def fit(cls, forecast: ForecastSpec, series: Iterable[Reals], missing: Missing | None = None) -> "Frame":
        """On the training part of each series, (N, D), in one pass and in constant memory."""
        inputs, correction, level, season = Moments(), Moments(), Moments(), forecast.season
        for values in series:
            for _, stretch in stretches(values) if forecast.counts else ():
                level.add(stretch)
            # what is missing is filled window by window, here as there
            step = stretch_of(values.shape[1]) if missing is None else forecast.context
            for first in range(0, len(values) - season, step):
                z = _z(forecast, values[first : first + season + step])
                inputs.add(_read(forecast, z[:, None], missing)[:, 0])
                correction.add(z[season:] - z[:-season])
        if forecast.counts:
            mean = level.mean
            return cls(forecast, inputs.scaler(), Scaler(np.zeros_like(mean), np.where(mean > 0, mean, 1)), missing)
        return cls(forecast, inputs.scaler(), correction.scaler(), missing)

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
        return np.concatenate([step, step % self.forecast.season - self.forecast.season])

    def encode(self, window: Reals) -> NDArray[np.float32]:
        """(rows, B, D) of the series → (context, B, F) of the network; with `mask`, NaN where a value is missing."""
        return self.inputs.encode(_read(self.forecast, _z(self.forecast, window), self.missing))

    def target(self, window: Reals, future: Reals) -> NDArray[np.float32]:
        """(rows, B, D) and the (H, B, D) after it → (B, H, D), the corrections; NaN where the future is."""
        correction = future if self.forecast.counts else _z(self.forecast, future) - self.naive(window)
        return self.correction.encode(correction.transpose(1, 0, 2))

    def decode(self, window: Reals, correction: Reals) -> NDArray[np.float64]:
        """(rows, B, D) and corrections (B, H, D, …) → values of the series."""
        many = correction.ndim - 3
        unscaled = np.moveaxis(self.correction.decode(np.moveaxis(correction, 2, -1)), -1, 2)
        if self.forecast.counts:
            return unscaled
        base = self.naive(window).transpose(1, 0, 2)        # (B, H, D)
        z = base.reshape(*base.shape, *[1] * many) + unscaled
        return np.exp(z) if self.forecast.log else z

    def filled(self, window: Reals) -> Reals:
        """(rows, B, D) of the series without NaN."""
        return window if self.missing is None else filled_window(window, self.missing, self.forecast.season)

    def naive(self, window: Reals) -> NDArray[np.float64]:
        """(H, B, D) the last known value at the same place of the season, on the scale of z."""
        season = self.forecast.season
        z = _filled(_z(self.forecast, window), season, self.missing)
        return np.asarray(z[len(z) - season + np.arange(self.forecast.horizon) % season])


def frame_of(spec: Spec) -> Frame:
    """The frame of a forecast, which belongs to one of the targets."""
    (name,) = (name for name, target in spec.targets.items() if target.frame is not None)
    frame = spec.targets[name].frame
    assert spec.forecast is not None and frame is not None
    return Frame.restore(spec.forecast, frame, spec.inputs[name].missing)


def _z(forecast: ForecastSpec, series: Reals) -> NDArray[np.float64]:
    values = series.astype(np.float64)
    return np.log1p(values) if forecast.counts else np.log(values) if forecast.log else values


def _filled(z: NDArray[np.float64], season: int, missing: Missing | None) -> NDArray[np.float64]:
    return z if missing is None else np.asarray(filled_window(z, missing, season))


def _read(forecast: ForecastSpec, z: NDArray[np.float64], missing: Missing | None) -> NDArray[np.float64]:
    """(season + C, B, D) → (C, B, F), features of what is filled, and NaN again where a mask is read."""
    season, filled = forecast.season, _filled(z, forecast.season, missing)
    features = _features(filled, season)
    if forecast.counts:
        features = np.concatenate([features, filled[season:]], axis=-1)
    if missing != "mask":
        return features
    unknown = np.isnan(z[season:])
    return np.where(np.concatenate([unknown] * (features.shape[-1] // z.shape[-1]), axis=-1), np.nan, features)


def _features(z: NDArray[np.float64], season: int) -> NDArray[np.float64]:
    """(season + C, B, D) → (C, B, 2·D), or (C, B, D) without a season."""
    growth = z[season:] - z[:-season]
    if season == 1:
        return growth
    sums = np.cumsum(np.concatenate([np.zeros_like(z[:1]), z]), axis=0)
    level = (sums[season + 1 :] - sums[1:-season]) / season
    return np.concatenate([z[season:] - level, growth], axis=-1)
