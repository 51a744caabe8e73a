"""Source → prepared folder: every split encoded and written in one pass."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unroll.base.errors import UserError
from unroll.base.files import sha256, write_json, write_json_list
from unroll.config.data import FUTURE, DataConfig
from unroll.data.codecs import Codec, SeriesCodec, TextCodec, Values
from unroll.data.npy import Array
from unroll.data.source import SPLITS, Origin, Piece, Source, Split, sequence_name
from unroll.data.spec import Counts, InputSpec, SourceSpec, Spec, TargetSpec
from unroll.data.store import KNOWN, OFFSETS, OWN_OFFSETS, PLACES, SPEC, TOKENIZER, TOTALS, VALUES, Contents

Codecs = Mapping[str, Codec]
STRETCH = 1_000_000     # rows that are marked at a time


def write_prepared(folder: Path, config: DataConfig, source: Source, origin: Origin, codecs: Codecs) -> None:
    """Encode every split into `folder`, one pass each; raises `UserError` when a split is empty or ill-formed."""
    folder.mkdir(parents=True)
    splits: dict[Split, Counts] = {}
    longest: dict[str, int] = {}
    for split in SPLITS:
        with _SplitWriter(folder, source, split, codecs, config.shifted) as writer:
            for piece in source.pieces(split):
                writer.add(piece)
        writer.check_known()
        splits[split] = writer.counts()
        if places := source.places(split):
            write_json_list(folder / PLACES.format(split=split), places)
        if not splits[split].sequences:
            raise UserError("empty", "data", f"the {split} split is empty; the source is too short. Give more of it.")
        if split == "train":
            longest = writer.longest
    for name, codec in codecs.items():
        if isinstance(codec, TextCodec):
            write_json(folder / TOKENIZER.format(field=name), codec.tokenizer.state())
    steps = max(longest.get(name, 0) for name, codec in codecs.items() if codec.per == "step")
    forecast = next((codec.forecast for codec in codecs.values() if isinstance(codec, SeriesCodec)), None)
    spec = Spec(
        layout=source.layout, longest=steps if forecast is None else forecast.context,
        inputs=_inputs(config, source, codecs, longest), targets=_targets(config, source, codecs), forecast=forecast,
        splits=splits, reading=source.reading,
        source=SourceSpec(kind=config.kind, name=origin.name, licence=origin.licence, sha256=origin.sha256),
    )
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    contents = Contents(spec=spec, configuration=config.model_dump(mode="json"),
                        files={file.relative_to(folder).as_posix(): sha256(file) for file in files})
    write_json(folder / SPEC, contents.model_dump(mode="json"))


def _inputs(config: DataConfig, source: Source, codecs: Codecs, longest: Mapping[str, int]) -> dict[str, InputSpec]:
    inputs = {name: codecs[name].describe_input(name in config.targets, _names(source, name)) for name in config.inputs}
    return {name: field.model_copy(update={"longest": longest[name]}) if field.per == "own" else field
            for name, field in inputs.items()}


def _targets(config: DataConfig, source: Source, codecs: Codecs) -> dict[str, TargetSpec]:
    return {name: codecs[name].describe_target(name if kind in FUTURE else None, _names(source, name))
            for name, kind in config.targets.items()}


def _names(source: Source, field: str) -> tuple[str, ...] | None:
    return tuple(source.columns[field]) if field in source.columns else None


class _SplitWriter:
    """One split's arrays, which grow piece by piece, and what metrics are divided by."""

    def __init__(self, folder: Path, source: Source, split: Split, codecs: Codecs, shifted: Sequence[str]) -> None:
        """`shifted`: targets with an unknown row before the first step, see `Spec.shifted`."""
        self._folder, self._layout, self._split, self._codecs = folder, source.layout, split, codecs
        self._shifted = shifted
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
        self._others = Counter[str]()

    def add(self, piece: Piece) -> None:
        """A sequence, or the next stretch of a stream."""
        stream = self._layout == "stream"
        sequence = sequence_name(self._places, self._split, 0 if stream else self._pieces)
        if stream and self._steps:
            sequence += f", from step {self._steps + 1} on"
        rows = {name: self._codecs[name].encode(value, f"data.{name}, {sequence}") for name, value in piece.items()}
        steps = {name: len(values) + (name in self._shifted) for name, values in rows.items()
                 if self._codecs[name].per == "step"}
        if stream and len(steps) < len(rows):
            name = next(name for name in rows if name not in steps)
            raise UserError("conflict", f"data.{name}", "one value a sequence, but the data is a single long sequence. "
                            "Give it at each step.")
        length = next(iter(steps.values()))
        if len(set(steps.values())) > 1:
            found = ", ".join(f"{name} {count - bool(self._shifted)}" for name, count in steps.items())
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
            self._mark(name, values, known)
            self._arrays[name].append(values if known is None else np.where(known, values, 0))
            self.longest[name] = max(self.longest[name], len(values))
            self._others.update(self._codecs[name].count(piece[name], values))
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
        """Raises `UserError` for a target of which the split knows nothing."""
        for name in self._holes:
            if not self._known[name]:
                raise UserError("empty", f"data.targets.{name}", f"no value is known in the {self._split} split. Give "
                                "some, or another data.seed.")

    def counts(self) -> Counts:
        sequences = min(1, self._steps) if self._layout == "stream" else self._pieces
        return Counts(sequences=sequences, steps=self._steps, **self._others)

    def __enter__(self) -> "_SplitWriter":
        return self

    def __exit__(self, *_: object) -> None:
        holes = [array for arrays in self._holes.values() for array in arrays]
        for array in (*self._arrays.values(), *self._own.values(), *holes, *([self._offsets] if self._offsets else [])):
            array.close()
