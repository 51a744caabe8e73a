"""Scales and classes, each fitted on the training split and restored from the spec."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.base.errors import UserError, nearest
from unroll.data.npy import stretches
from unroll.data.source import UNKNOWN
from unroll.data.spec import InputSpec, Scale, TargetSpec

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

    @property
    def centred(self) -> "Scaler":
        """The same, of differences, which have no mean."""
        return Scaler(np.zeros_like(self.mean), self.deviation)

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
