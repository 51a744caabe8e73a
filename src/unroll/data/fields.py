"""The fields of one split, from which batches are cut."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from unroll.data.encoders import Classes, Scaler
from unroll.data.frame import Frame, frame_of
from unroll.data.holes import Holes
from unroll.data.missing import reaches
from unroll.data.origins import Windows
from unroll.data.spec import InputSpec, Spec, TargetSpec

IGNORED = -100      # a class or a symbol that the loss leaves out; real numbers are NaN there

Values = NDArray[Any]


def unchanged(values: Values) -> Values:
    return values


@dataclass(frozen=True)
class Field:
    """The values of one input or target, one row per step or per sequence; `show` converts them for a batch.

    An input on an axis of its own has `bounds` (n, 2), the rows of each sequence, as `Sequences` has of the others.
    """

    values: Values                          # (N,) or (N, F)
    per: Literal["step", "sequence", "own"]
    fill: float                             # of padding: a symbol, IGNORED, 0 or NaN
    dtype: type[np.generic]
    ahead: int = 0                          # step t of a batch shows step t + ahead; -1: the step before
    show: Callable[[Values], Values] = unchanged
    holes: Holes | None = None              # None: everything is known
    unknown: float | None = None            # in place of numbers that are not known; None: as of padding
    bounds: NDArray[np.int64] | None = None
    known_ahead: bool = False               # at the steps of a forecast, too

    def at(self, rows: NDArray[np.int64], valid: NDArray[np.bool_]) -> Values:
        """Rows of any shape → their values, `fill` where a row is not valid, `unknown` where a number is not known."""
        if not len(self.values):
            return np.full((*rows.shape, *self.values.shape[1:]), self.fill, self.dtype)
        rows = rows.clip(0, len(self.values) - 1)
        taken = self.show(self.values[rows]).astype(self.dtype)
        if self.holes is not None:
            taken[~self.holes.known[rows]] = self.fill if self.unknown is None else self.unknown
        if not valid.all():
            taken[~valid] = self.fill
        return taken

    def raw(self, rows: NDArray[np.int64] | slice) -> Values:
        """Rows as the source has them, NaN where a number is not known."""
        if self.holes is None:
            return self.values[rows]
        return np.where(self.holes.known[rows], self.values[rows], np.nan)

    def own(self, lanes: NDArray[np.int64], items: NDArray[np.int64]) -> tuple[Values, NDArray[np.int64]]:
        """The lanes' sequences on their own axis, (T', B, …), and their lengths (B,); -1: an empty lane.

        T' is the length of the longest of `items`, which are those of all ranks.
        """
        assert self.bounds is not None
        lengths = self.bounds[:, 1] - self.bounds[:, 0]
        step = np.arange(max(1, lengths[items].max(initial=0)))[:, None]
        own = np.where(lanes < 0, 0, lengths[lanes])
        return self.at(self.bounds[lanes, 0] + step, step < own), own

    def count(self, first: NDArray[np.int64], last: NDArray[np.int64]) -> float:
        """Known targets in all of the stretches [first, last) of rows; of vectors, the known share of each."""
        last = last.clip(min=first)
        if self.holes is None:
            return int((last - first).sum())
        return int((self.holes.totals[last] - self.holes.totals[first]).sum()) / self.holes.width

    def only(self, kept: slice | NDArray[np.int64]) -> "Field":
        """Some of the rows; of a field on an axis of its own, of the sequences."""
        if self.bounds is not None:
            return replace(self, bounds=self.bounds[kept])
        holes = None if self.holes is None else Holes.of(self.holes.known[kept])
        return replace(self, values=self.values[kept], holes=holes)


@dataclass(frozen=True)
class Sequences:
    """The fields of a split. `bounds` (n, 2) are each sequence's first step and the one after its last.

    Without bounds it is one long stream. With a `frame` the sequences are windows of series, whose targets are the
    steps after them, and, of other targets, their last step. Where there are others, windows go on to the end of their
    series, and `forecasts` (n,) tells which of them have the steps that are forecast; None: all. The input `series` is
    forecast.
    """

    inputs: dict[str, Field]
    targets: dict[str, Field]
    bounds: NDArray[np.int64] | Windows | None
    frame: Frame | None = None
    forecasts: NDArray[np.bool_] | None = None
    series: str | None = None

    def __len__(self) -> int:
        """Sequences; steps of a stream."""
        if self.bounds is not None:
            return len(self.bounds)
        return len(next(field for field in self.inputs.values() if field.per == "step").values) - self.cut

    @property
    def cut(self) -> int:
        """Steps at the end of a sequence, or of the stream, that are left out, since all targets are of later steps."""
        return min((max(0, field.ahead) for field in self.targets.values()), default=0)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """(n,) steps of each sequence."""
        assert self.bounds is not None
        if isinstance(self.bounds, Windows):
            return np.broadcast_to(np.int64(self.bounds.rows), len(self.bounds))
        return np.asarray(self.bounds[:, 1] - self.bounds[:, 0])

    def only(self, kept: slice | NDArray[np.int64]) -> "Sequences":
        """Some of the sequences, or a stretch of the stream."""
        # what stands for a whole series stands for each of its windows
        per = "step" if self.bounds is None else "sequence" if self.frame is None else None
        bounds = self.bounds.only(kept) if isinstance(self.bounds, Windows) else (
            None if self.bounds is None else self.bounds[kept])
        inputs, targets = ({name: field.only(kept) if field.per in (per, "own") else field
                            for name, field in part.items()} for part in (self.inputs, self.targets))
        forecasts = None if self.forecasts is None else self.forecasts[kept]
        return replace(self, inputs=inputs, targets=targets, bounds=bounds, forecasts=forecasts)

    def sequence_of(self, windows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Which sequences the windows are stretches of."""
        assert isinstance(self.bounds, Windows)
        return self.bounds.series(windows)

    def with_forecasts(self) -> "Sequences":
        """The windows that have the steps that are forecast."""
        return self if self.forecasts is None else self.only(np.flatnonzero(self.forecasts))


def sequences(spec: Spec, values: Mapping[str, Values], offsets: NDArray[np.int64] | None,
              holes: Mapping[str, Holes] = MappingProxyType({}),
              own: Mapping[str, NDArray[np.int64]] = MappingProxyType({}), scored: bool = False) -> Sequences:
    """Arrays as the spec describes them; targets may be missing, where they are to be predicted.

    `own` are the offsets of inputs on an axis of their own; `scored`: only the windows that a forecast is scored on.
    """
    inputs = {name: _input(field, values[name], own.get(name), holes.get(name)) for name, field in spec.inputs.items()}
    targets = {name: _target(field, values[field.of or name], holes.get(name)) for name, field in spec.targets.items()
               if (field.of or name) in values and field.frame is None}
    if spec.layout == "windows":
        frame = frame_of(spec)
        assert offsets is not None
        windows, forecasts = _windows(frame, offsets, bool(targets), inputs[spec.main].holes, scored)
        return Sequences(inputs, targets, windows, frame, forecasts, spec.main)
    data = Sequences(inputs, targets, None)
    if offsets is None:
        return data
    bounds = np.stack([offsets[:-1], np.maximum(offsets[:-1], offsets[1:] - data.cut)], axis=1)
    return replace(data, bounds=bounds)


def _input(field: InputSpec, values: Values, offsets: NDArray[np.int64] | None, holes: Holes | None) -> Field:
    if offsets is not None:
        bounds = np.stack([offsets[:-1], offsets[1:]], axis=1)
        return replace(_input(field, values, None, holes), bounds=bounds)
    # read one step late where it has a begin, so that each step is predicted from those before it
    fill, ahead = (0, 0) if field.begin is None else (field.begin, -1)
    if field.kind == "categories":
        return Field(values, field.per, fill, np.int64, ahead, _columns(field), known_ahead=field.known_ahead)
    if field.kind == "tokens":
        return Field(values, field.per, fill, np.int64, ahead)
    if field.scale is None:         # a frame scales it
        return Field(values, "step", 0, np.float32, holes=holes)
    unknown = np.nan if reaches(field.missing, field.per) else 0.0      # 0 is the mean
    return Field(values, field.per, fill, np.float32, ahead, Scaler.restore(field.scale).encode, holes, unknown,
                 known_ahead=field.known_ahead)


def _columns(field: InputSpec) -> Callable[[Values], Values]:
    """Numbers of categories, from 0 in each column, → from 0 over all columns."""
    first = np.array(field.first_numbers)
    return lambda values: values.astype(np.int64) + first


def category_numbers(field: InputSpec, names: Values) -> Values:
    """Names of categories (…, K) → their numbers over all columns, as the network reads them."""
    columns = [Classes(list(known)).positions(column) + 1
               for known, column in zip(field.categories or (), names.reshape(-1, field.width).T, strict=True)]
    return _columns(field)(np.stack(columns, axis=1)).reshape(names.shape)


def _target(field: TargetSpec, values: Values, holes: Holes | None) -> Field:
    if field.kind == "classes" and field.of is not None and values.ndim == 2:     # categories, from 1 on
        known = None if holes is None else Holes(holes.known[:, 0], holes.totals)
        return Field(values[:, 0], field.per, IGNORED, np.int64, field.ahead, _classes, known)
    if field.kind == "classes":
        return Field(values, field.per, IGNORED, np.int64, field.ahead, holes=holes)
    show = _float if field.scale is None else Scaler.restore(field.scale).encode
    return Field(values, field.per, np.nan, np.float32, field.ahead, show, holes)


def _classes(values: Values) -> NDArray[np.int64]:
    """Numbers of categories of one column → of classes, which do without the one for all others."""
    return values.astype(np.int64) - 1


def _float(values: Values) -> NDArray[np.float32]:
    return values.astype(np.float32)


def _windows(frame: Frame, offsets: NDArray[np.int64], to_the_end: bool, holes: Holes | None, scored: bool) \
        -> tuple[Windows, NDArray[np.bool_] | None]:
    """The rows that each window reads, before its horizon, and which of them (n,) have one where not all do.

    Windows in which a series has no known value are left out, and those of whose future nothing is known.
    """
    forecast, after = frame.forecast, 0 if to_the_end else frame.forecast.horizon
    windows = Windows.every(offsets, frame.rows, after, forecast.eval_stride if scored else 1)
    if holes is not None:
        windows = windows.where(windows.which(partial(_usable, holes, after)))
    if scored:
        windows = windows.at_most(forecast.eval_windows)
    if not to_the_end:
        return windows, None
    return windows, windows.which(partial(_has_future, holes, offsets, forecast.horizon))


def _usable(holes: Holes, horizon: int, bounds: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether windows (n, 2) have a known value of every series, and one in the `horizon` after, if any."""
    usable = np.ones(len(bounds), bool)
    first = bounds[0, 0]
    known = holes.known[first : bounds[-1, 1]]
    for column in known.reshape(len(known), -1).T:
        before = np.concatenate([[0], np.cumsum(column)])
        usable &= before[bounds[:, 1] - first] > before[bounds[:, 0] - first]
    if horizon:
        usable &= holes.totals[bounds[:, 1] + horizon] > holes.totals[bounds[:, 1]]
    return usable


def _has_future(holes: Holes | None, offsets: NDArray[np.int64], horizon: int, bounds: NDArray[np.int64]) \
        -> NDArray[np.bool_]:
    """Whether the series of windows (n, 2) go on for `horizon` rows after them, of which something is known."""
    last = bounds[:, 1]
    has = last + horizon <= offsets[np.searchsorted(offsets, bounds[:, 0], side="right")]
    if holes is not None:
        has &= holes.totals[np.minimum(last + horizon, len(holes.known))] > holes.totals[last]
    return np.asarray(has)
