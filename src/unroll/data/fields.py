"""The fields of one split, from which batches are cut."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from unroll.data.encoders import Frame, Scaler, frame_of
from unroll.data.spec import InputSpec, Spec, TargetSpec

IGNORED = -100      # a class or a symbol that the loss leaves out; real numbers are NaN there

Values = NDArray[Any]


def unchanged(values: Values) -> Values:
    return values


@dataclass(frozen=True)
class Field:
    """The values of one input or target, one row per step or per sequence; `show` converts them for a batch."""

    values: Values                          # (N,) or (N, F)
    per: Literal["step", "sequence"]
    fill: float                             # of padding and other unknown rows: a symbol, IGNORED, 0 or NaN
    dtype: type[np.generic]
    ahead: int = 0                          # step t of a batch shows step t + ahead; -1: the step before
    show: Callable[[Values], Values] = unchanged

    def at(self, rows: NDArray[np.int64], known: NDArray[np.bool_]) -> Values:
        """Rows of any shape → their values, `fill` where a row is not known."""
        taken = self.show(self.values[rows.clip(0, max(0, len(self.values) - 1))]).astype(self.dtype)
        if not known.all():
            taken[~known] = self.fill
        return taken


@dataclass(frozen=True)
class Sequences:
    """The fields of a split. `bounds` (n, 2) are each sequence's first step and the one after its last.

    Without bounds it is one long stream. With a `frame` the sequences are windows of series, whose targets are the
    steps after them.
    """

    inputs: dict[str, Field]
    targets: dict[str, Field]
    bounds: NDArray[np.int64] | None
    frame: Frame | None = None

    def __len__(self) -> int:
        """Sequences; steps of a stream."""
        if self.bounds is not None:
            return len(self.bounds)
        first = next(iter(self.inputs.values()))
        ahead = max(field.ahead for field in self.targets.values())
        return len(first.values) - max(0, ahead)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """(n,) steps of each sequence."""
        assert self.bounds is not None
        return np.asarray(self.bounds[:, 1] - self.bounds[:, 0])

    @property
    def pooled(self) -> bool:
        """Whether targets are counted by sequence, not by step."""
        return self.frame is not None or any(field.per == "sequence" for field in self.targets.values())

    def only(self, kept: slice | NDArray[np.int64]) -> "Sequences":
        """Some of the sequences, or a stretch of the stream."""

        def cut(field: Field, per: str) -> Field:
            values = field.values[kept] if field.per == per else field.values
            return replace(field, values=values)

        per = "step" if self.bounds is None else "sequence"
        bounds = None if self.bounds is None else self.bounds[kept]
        inputs, targets = ({name: cut(field, per) for name, field in part.items()}
                           for part in (self.inputs, self.targets))
        return Sequences(inputs, targets, bounds, self.frame)


def sequences(spec: Spec, values: Mapping[str, Values], offsets: NDArray[np.int64] | None) -> Sequences:
    """Arrays as the spec describes them; targets may be missing, where they are to be predicted."""
    inputs = {name: _input(field, values[name]) for name, field in spec.inputs.items()}
    if spec.layout == "windows":
        frame = frame_of(spec)
        return Sequences(inputs, {}, _windows(frame, offsets), frame)
    targets = {name: _target(field, values[field.of or name]) for name, field in spec.targets.items()
               if (field.of or name) in values}
    if offsets is None:
        return Sequences(inputs, targets, None)
    # the last step of a sequence has no next one to predict
    last = max((field.ahead for field in targets.values()), default=0)
    bounds = np.stack([offsets[:-1], np.maximum(offsets[:-1], offsets[1:] - last)], axis=1)
    return Sequences(inputs, targets, bounds)


def _input(field: InputSpec, values: Values) -> Field:
    if field.begin is not None:     # read one step late, so that each symbol is predicted from those before it
        return Field(values, "step", field.begin, np.int64, ahead=-1)
    if field.kind == "tokens":
        return Field(values, "step", 0, np.int64)
    if field.scale is None:         # a frame scales it
        return Field(values, "step", 0, np.float32)
    return Field(values, "step", 0, np.float32, show=Scaler.restore(field.scale).encode)


def _target(field: TargetSpec, values: Values) -> Field:
    if field.kind == "classes":
        return Field(values, field.per, IGNORED, np.int64, field.ahead)
    show = _float if field.scale is None else Scaler.restore(field.scale).encode
    return Field(values, field.per, np.nan, np.float32, field.ahead, show)


def _float(values: Values) -> NDArray[np.float32]:
    return values.astype(np.float32)


def _windows(frame: Frame, offsets: NDArray[np.int64] | None) -> NDArray[np.int64]:
    """(n, 2) the rows that each window reads, before its horizon."""
    assert offsets is not None
    starts = [np.arange(first, last - frame.rows - frame.forecast.horizon + 1) for first, last in pairwise(offsets)]
    start = np.concatenate(starts) if starts else np.zeros(0, np.int64)
    return np.stack([start, start + frame.rows], axis=1)
