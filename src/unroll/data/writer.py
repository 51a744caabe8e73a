"""Source → prepared folder: every split encoded and written in one pass."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.base.errors import UserError
from unroll.base.files import sha256, write_json
from unroll.config.data import DataConfig
from unroll.data.fitting import (
    Encoders,
    as_rows,
    check_labels,
    check_numbers,
    check_width,
    describe_input,
    describe_target,
)
from unroll.data.npy import Array
from unroll.data.source import SPLITS, Origin, Source, Split, called
from unroll.data.spec import Counts, SourceSpec, Spec
from unroll.data.store import OFFSETS, PLACES, SPEC, TOKENIZER, VALUES, Contents
from unroll.data.tokenizers import Tokenizer

Values = NDArray[Any]


def write_prepared(folder: Path, config: DataConfig, source: Source, origin: Origin, encoders: Encoders) -> None:
    """Encode every split into `folder`, one pass each; raises `UserError` when a split is empty or ill-formed."""
    folder.mkdir(parents=True)
    splits: dict[Split, Counts] = {}
    longest = 0
    for split in SPLITS:
        writer = _SplitWriter(folder, config, source, split, encoders)
        with writer:
            for piece in source.pieces(split):
                writer.add(piece)
        splits[split] = Counts(**writer.counts)
        if places := source.places(split):
            write_json(folder / PLACES.format(split=split), places)
        if not writer.counts["sequences"]:
            raise UserError(f"data: the {split} split is empty; the source is too short. Give more of it.")
        if split == "train":
            longest = writer.longest
    for name, tokenizer in encoders.tokenizers.items():
        write_json(folder / TOKENIZER.format(field=name), tokenizer.state())
    spec = Spec(
        layout=source.layout,
        longest=longest if encoders.frame is None else encoders.frame.forecast.context,
        inputs={name: describe_input(config, name, encoders, source) for name in config.inputs},
        targets={name: describe_target(config, name, encoders, source) for name in config.targets},
        forecast=None if encoders.frame is None else encoders.frame.forecast,
        splits=splits,
        source=SourceSpec(kind=config.kind, name=origin.name, licence=origin.licence, sha256=origin.sha256),
        reading=source.reading,
    )
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    contents = Contents(spec=spec, configuration=config.model_dump(mode="json"),
                        files={file.relative_to(folder).as_posix(): sha256(file) for file in files})
    write_json(folder / SPEC, contents.model_dump(mode="json"))


class _SplitWriter:
    """One split's arrays, appended to sequence by sequence, and what metrics are divided by."""

    def __init__(self, folder: Path, config: DataConfig, source: Source, split: Split, encoders: Encoders) -> None:
        self._folder, self._config, self._layout, self._split = folder, config, source.layout, split
        self._places = source.places(split)
        self._encoders = encoders
        self._arrays: dict[str, Array] = {}
        self._offsets: Array | None = None
        if self._layout != "stream":
            self._offsets = Array(folder / OFFSETS.format(split=split), np.dtype(np.int64))
            self._offsets.append(np.zeros(1))
        self.counts = {"sequences": 0, "steps": 0}
        self.longest = 0
        if encoders.tokenizers:
            self.counts |= {"characters": 0, "bytes": 0, "unknown": 0}

    def add(self, piece: dict[str, Any]) -> None:
        """A sequence, or the next stretch of a stream."""
        rows = {name: self._encode(name, value) for name, value in piece.items()}
        steps = {name: len(each) for name, each in rows.items() if self._per_step(name)}
        length = next(iter(steps.values()))
        if len(set(steps.values())) > 1:
            said = ", ".join(f"{name} {count}" for name, count in steps.items())
            advice = " Choose data/tokenizer=char, a symbol for each label." if self._encoders.tokenizers else ""
            raise UserError(f"data: {self._sequence()} has unequal numbers of steps: {said}.{advice}")
        if not length and self._layout != "stream":
            raise UserError(f"data: {self._sequence()} is empty. Leave it out of the source.")
        for name, each in rows.items():
            if name not in self._arrays:
                kind = self._kind(name, each)
                path = self._folder / VALUES.format(split=self._split, field=name)
                self._arrays[name] = Array(path, kind, each.shape[1:])
            self._arrays[name].append(each)
        self.counts["sequences"] += 1
        self.counts["steps"] += length
        self.longest = max(self.longest, length)
        if self._offsets:
            self._offsets.append(np.array([self.counts["steps"]]))

    def _sequence(self) -> str:
        """The one that comes next, as a user finds it."""
        return called(self._places, self._split, self.counts["sequences"])

    def _per_step(self, name: str) -> bool:
        return name in self._config.inputs or self._config.targets[name] in ("tag", "labels", "values")

    def _kind(self, name: str, rows: Values) -> np.dtype[Any]:
        if name in self._encoders.tokenizers:
            return np.min_scalar_type(self._encoders.tokenizers[name].size - 1)
        if name in self._encoders.classes:
            return np.min_scalar_type(len(self._encoders.classes[name].names) - 1)
        if rows.dtype == np.uint8:
            return np.dtype(np.uint8)
        return np.dtype(np.float64 if self._many_digits(name, rows) else np.float32)

    def _many_digits(self, name: str, rows: Values) -> bool:
        """Whether a value's swing is so small beside its level that the seven digits of float32 would lose it."""
        scaler, frame = self._encoders.scalers.get(name), self._encoders.frame
        if scaler is not None:
            level, swing = np.abs(scaler.mean), scaler.deviation
        elif frame is not None and not frame.forecast.log:
            level, swing = np.abs(rows).max(axis=0), frame.correction.deviation
        else:
            return False
        return bool((level > 1000 * swing).any())

    def _encode(self, name: str, value: Any) -> Values:
        where = f"data.{name}, {self._sequence()}"
        if name in self._encoders.tokenizers:
            return self._symbols(self._encoders.tokenizers[name], value)
        if name in self._encoders.classes:
            return self._encoders.classes[name].encode(value, where)
        rows = as_rows(value, self._per_step(name))
        check_width(self._encoders.sizes, name, rows, where)
        check_numbers(self._config, rows, where)
        if self._config.targets.get(name) == "next_labels":
            check_labels(rows, where)
        return rows

    def _symbols(self, tokenizer: Tokenizer, text: str) -> Values:
        ids = tokenizer.encode(text)
        if tokenizer.unknown is not None:
            self.counts["unknown"] += int((ids == tokenizer.unknown).sum())
        items = tokenizer.end is not None
        if tokenizer.end is not None:
            ids = np.append(ids, tokenizer.end)
        # the end of an item is a character of the source: its newline
        self.counts["characters"] += len(text) + items
        self.counts["bytes"] += len(text.encode()) + items
        return ids

    def __enter__(self) -> "_SplitWriter":
        return self

    def __exit__(self, *_: object) -> None:
        if self._layout == "stream":
            self.counts["sequences"] = min(1, self.counts["steps"])
        for array in (*self._arrays.values(), *([self._offsets] if self._offsets else [])):
            array.close()
