"""The arrays of one split, written piece by piece."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unroll.base.errors import UserError
from unroll.data.codecs import Codec, Values
from unroll.data.npy import Array, stretches
from unroll.data.source import Piece, Source, Split, sequence_name
from unroll.data.spec import Counts
from unroll.data.store import KNOWN, OFFSETS, OWN_OFFSETS, TOTALS, VALUES

Codecs = Mapping[str, Codec]
STRETCH = 1_000_000     # rows that are marked at a time


class SplitWriter:
    """One split's arrays, which grow piece by piece, and what metrics are divided by."""

    def __init__(self, folder: Path, source: Source, split: Split, codecs: Codecs, inputs: Collection[str],
                 shifted: Sequence[str]) -> None:
        """`inputs`: their names; `shifted`: targets with an unknown row before the first step, see `Spec.shifted`."""
        self._folder, self._layout, self._split, self._codecs = folder, source.layout, split, codecs
        self._inputs, self._shifted = inputs, shifted
        self._places = source.places(split)
        self._arrays: dict[str, Array] = {}
        self._offsets: Array | None = None
        if self._layout != "stream":
            self._offsets = Array(folder / OFFSETS.format(split=split), np.dtype(np.int64))
            self._offsets.append(np.zeros(1))
        self._own = {name: Array(folder / OWN_OFFSETS.format(split=split, field=name), np.dtype(np.int64))
                     for name, codec in codecs.items() if codec.per == "own"}
        for array in self._own.values():
            array.append(np.zeros(1))
        self._holes: dict[str, tuple[Array, Array]] = {}
        self._rows, self._known = Counter[str](), Counter[str]()
        self._pieces = self._steps = 0
        self.longest = dict.fromkeys(codecs, 0)     # rows of a piece
        self.occurrences: dict[str, NDArray[np.int64]] = {}     # of each class of a target
        self._others = Counter[str]()

    def add(self, piece: Piece) -> None:
        """A sequence, or the next stretch of a stream."""
        stream = self._layout == "stream"
        sequence = sequence_name(self._places, self._split, 0 if stream else self._pieces)
        if stream and self._steps:
            sequence += f", from step {self._steps + 1} on"
        rows = {name: self._codecs[name].encode(value, f"data.{name}, {sequence}") for name, value in piece.items()}
        more = {name: (name in self._shifted) + codec.closed for name, codec in self._codecs.items()}
        steps = {name: len(values) + more[name] for name, values in rows.items() if self._codecs[name].per == "step"}
        if stream and len(steps) < len(rows):
            name = next(name for name in rows if name not in steps)
            raise UserError("conflict", f"data.{name}", "one value a sequence, but the data is a single long sequence. "
                            "Give it at each step.")
        length = next(iter(steps.values()))
        if len(set(steps.values())) > 1:
            found = ", ".join(f"{name} {count - max(more.values())}" for name, count in steps.items())
            advice = "".join(codec.advice for codec in self._codecs.values())
            raise UserError("unequal-lengths", f"data, {sequence}", f"unequal numbers of steps: {found}.{advice}")
        if not length and not stream:
            raise UserError("empty", f"data, {sequence}", "empty. Leave it out of the source.")
        for name, values in rows.items():
            if name not in self._arrays:
                path = self._folder / VALUES.format(split=self._split, field=name)
                self._arrays[name] = Array(path, self._codecs[name].dtype(values), values.shape[1:])
            known = self._codecs[name].known(values)
            if name in self._shifted and known is not None:
                values, known = (np.concatenate([np.zeros_like(array[:1]), array]) for array in (values, known))
            if self._codecs[name].closed:
                known = np.ones(values.shape, bool) if known is None else known
                values, known = (np.concatenate([array, np.zeros_like(array[:1])]) for array in (values, known))
            self._mark(name, values, known)
            for first, stretch in stretches(values):
                own = None if known is None else known[first : first + len(stretch)]
                self._arrays[name].append(stretch if own is None else np.where(own, stretch, 0))
            self.longest[name] = max(self.longest[name], len(values))
            self._others.update(self._codecs[name].count(piece[name], values))
            if (classes := self._codecs[name].occurrences(rows[name])) is not None:
                self.occurrences[name] = self.occurrences.get(name, 0) + classes
        self._pieces += 1
        self._steps += length
        for name, offsets in self._own.items():
            offsets.append(np.array([self._rows[name]]))
        if self._offsets:
            self._offsets.append(np.array([self._steps]))

    def _mark(self, name: str, values: Values, known: NDArray[np.bool_] | None) -> None:
        """Note what is known, from the first hole on; `Holes` describes the two files."""
        before = self._rows[name]
        self._rows[name] += len(values)
        if not len(values):
            return
        self._known[name] += values.size if known is None else int(known.sum())
        if name not in self._holes:
            if known is None or known.all():
                return
            paths = [self._folder / file.format(split=self._split, field=name) for file in (KNOWN, TOTALS)]
            width = values[0].size
            self._holes[name] = Array(paths[0], np.dtype(bool), values.shape[1:]), Array(paths[1], np.dtype(np.int64))
            for first in range(0, before, STRETCH):
                rows = np.arange(first, min(first + STRETCH, before))
                self._holes[name][0].append(np.ones((len(rows), *values.shape[1:]), bool))
                self._holes[name][1].append(rows * width)
            self._holes[name][1].append(np.array([before * width]))
        known = np.ones(values.shape, bool) if known is None else known
        self._holes[name][0].append(known)
        rows = known.reshape(len(known), -1).sum(axis=1)
        self._holes[name][1].append(self._known[name] - rows.sum() + rows.cumsum())

    def check_known(self) -> None:
        """Raises `UserError` for an input or a target of which the split knows nothing."""
        for name in self._holes:
            if not self._known[name]:
                part = "inputs" if name in self._inputs else "targets"
                raise UserError("empty", f"data.{part}.{name}", f"no value is known in the {self._split} split. Give "
                                "some, or another data.seed.")

    def counts(self) -> Counts:
        sequences = min(1, self._steps) if self._layout == "stream" else self._pieces
        return Counts(sequences=sequences, steps=self._steps, **self._others)

    def __enter__(self) -> "SplitWriter":
        return self

    def __exit__(self, *_: object) -> None:
        holes = [array for arrays in self._holes.values() for array in arrays]
        for array in (*self._arrays.values(), *self._own.values(), *holes, *([self._offsets] if self._offsets else [])):
            array.close()
