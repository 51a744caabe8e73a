"""Source → prepared folder: encoders fitted on the training split, then every split written in one pass."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from unroll.config.data import DataConfig
from unroll.data.encoders import Classes, Frame, Scaler
from unroll.data.sources import SPLITS, Origin, Source, Split
from unroll.data.store import FORMAT
from unroll.data.tokenizers import Tokenizer, fit
from unroll.errors import UserError
from unroll.files import sha256, write_json

Values = NDArray[Any]


@dataclass
class Encoders:
    """What is fitted on the training split, by field."""

    tokenizers: dict[str, Tokenizer] = field(default_factory=dict)
    classes: dict[str, Classes] = field(default_factory=dict)
    scalers: dict[str, Scaler] = field(default_factory=dict)
    frame: Frame | None = None
    sizes: dict[str, int] = field(default_factory=dict)     # of reals and labels, numbers a step


def fit_encoders(config: DataConfig, source: Source) -> Encoders:
    """Each field's encoder, from a pass over the training split of its own."""
    made = Encoders()

    def train(name: str) -> Iterator[Any]:
        return (piece[name] for piece in source.pieces("train"))

    def rows(name: str, per_step: bool) -> Iterator[Values]:
        for number, value in enumerate(train(name), 1):
            each = _rows(value, per_step)
            _check_width(made.sizes, name, each, f"data.{name}, sequence {number} of the train split")
            yield each

    for name, kind in config.inputs.items():
        if kind == "tokens":
            # a symbol that closes an item would have no label of its own
            items = source.layout == "items" and not {"tag", "labels", "values"} & set(config.targets.values())
            asked = getattr(config, "tokenizer", None)
            if asked is None:
                raise UserError(f"data.tokenizer: the input {name} is of tokens; choose data/tokenizer=char or bpe.")
            made.tokenizers[name] = fit(asked, items, train(name))
        elif source.layout != "windows":
            made.scalers[name] = Scaler.fit(getattr(config, "scale", "none"), rows(name, True))
    for name, target in config.targets.items():
        if target in ("class", "tag"):
            made.classes[name] = Classes.fit(train(name))
            if len(made.classes[name].names) < 2:
                raise UserError(f"data.targets.{name}: the training split has one class alone, "
                                f"{made.classes[name].names}. Give examples of another, or another data.seed.")
        elif target in ("value", "values"):
            made.scalers[name] = Scaler.fit(getattr(config, "scale", "none"), rows(name, target == "values"))
        elif target == "forecast":
            series = list(rows(name, True))
            for number, each in enumerate(series, 1):
                _check_numbers(config, each, f"data.{name}, sequence {number} of the train split")
            made.frame = Frame.fit(config.forecast, series)      # type: ignore[union-attr, arg-type]
    return made


def _rows(value: Any, per_step: bool) -> Values:
    """(T, F) of a field with a row a step, where one number a step may come as (T,); (1, F) of a sequence."""
    rows = np.atleast_1d(value)
    return rows.reshape(len(rows), int(np.prod(rows.shape[1:]))) if per_step else rows.reshape(1, -1)


def _check_width(sizes: dict[str, int], name: str, rows: Values, where: str) -> None:
    known = sizes.setdefault(name, rows.shape[1])
    if rows.shape[1] != known:
        raise UserError(f"{where}: {rows.shape[1]} numbers a step where others have {known}.")


def _check_numbers(config: DataConfig, rows: Values, where: str) -> None:
    forecast = getattr(config, "forecast", None)
    wrong, advice = ~np.isfinite(rows), ". Missing and infinite values are not supported yet; fill or leave them out."
    if not wrong.any() and forecast is not None and forecast.log:
        wrong, advice = rows <= 0, " has no logarithm. Set data.forecast.log=false."
    if wrong.any():
        step, number = np.argwhere(wrong)[0]
        raise UserError(f"{where}, step {step + 1}, number {number + 1}: {rows[step, number]:g}{advice}")


def write_prepared(folder: Path, config: DataConfig, source: Source, origin: Origin, encoders: Encoders) -> None:
    """Encode every split into `folder`, one pass each; raises `UserError` when a split is empty or ill-formed."""
    folder.mkdir(parents=True)
    splits = {}
    longest = 0
    for split in SPLITS:
        writer = _SplitWriter(folder, config, source.layout, split, encoders)
        with writer:
            for piece in source.pieces(split):
                writer.add(piece)
        splits[split] = writer.counts
        if not writer.counts["items"]:
            raise UserError(f"data: the {split} split is empty; the source is too short. Give more of it.")
        if split == "train":
            longest = writer.longest
    for name, tokenizer in encoders.tokenizers.items():
        write_json(folder / f"{name}.tokenizer.json", tokenizer.state())
    spec = {
        "format": FORMAT,
        "data": config.model_dump(mode="json"),
        "source": vars(origin),
        "layout": source.layout,
        "longest": longest if encoders.frame is None else encoders.frame.config.context,
        "inputs": {name: _describe_input(config, name, encoders) for name in config.inputs},
        "targets": {name: _describe_target(config, name, encoders) for name in config.targets},
        "splits": splits,
        "files": {file.name: sha256(file) for file in sorted(folder.iterdir())},
    }
    write_json(folder / "spec.json", spec)


def _describe_input(config: DataConfig, name: str, encoders: Encoders) -> dict[str, Any]:
    if name in encoders.tokenizers:
        tokenizer = encoders.tokenizers[name]
        begin = {"begin": tokenizer.begin} if config.targets.get(name) == "next" else {}
        return {"kind": "tokens", "size": tokenizer.size, **begin}
    if encoders.frame is not None:
        return {"kind": "real", "size": len(encoders.frame.inputs.mean), "columns": encoders.sizes[name]}
    scaler = encoders.scalers[name]
    return {"kind": "real", "size": len(scaler.mean), "scale": scaler.state()}


def _describe_target(config: DataConfig, name: str, encoders: Encoders) -> dict[str, Any]:
    """`kind` is what a loss is of: classes, labels, reals or a forecast; `per` step or sequence."""
    match config.targets[name]:
        case "next" if name in encoders.tokenizers:
            return {"kind": "classes", "per": "step", "of": name, "size": encoders.tokenizers[name].size}
        case "next" if config.kind == "pianoroll":
            return {"kind": "labels", "per": "step", "of": name, "ahead": 1, "size": encoders.sizes[name]}
        case "next":
            scaler = encoders.scalers[name]
            return {"kind": "reals", "per": "step", "of": name, "ahead": 1, "size": len(scaler.mean),
                    "scale": scaler.state()}
        case "class" | "tag" as target:
            names = encoders.classes[name].names
            return {"kind": "classes", "per": "sequence" if target == "class" else "step", "size": len(names),
                    "classes": names}
        case "labels":
            return {"kind": "labels", "per": "step", "size": encoders.sizes[name]}
        case "value" | "values" as target:
            scaler = encoders.scalers[name]
            return {"kind": "reals", "per": "sequence" if target == "value" else "step", "size": len(scaler.mean),
                    "scale": scaler.state()}
        case _:
            assert encoders.frame is not None
            return {"kind": "forecast", "per": "sequence", "of": name, "size": encoders.sizes[name],
                    "frame": encoders.frame.state()}


class _SplitWriter:
    """One split's arrays, appended to sequence by sequence, and what metrics are divided by."""

    def __init__(self, folder: Path, config: DataConfig, layout: str, split: Split, encoders: Encoders) -> None:
        self._folder, self._config, self._layout, self._split = folder, config, layout, split
        self._encoders = encoders
        self._arrays: dict[str, Array] = {}
        self._offsets = None if layout == "stream" else Array(folder / f"offsets.{split}.npy", np.dtype(np.int64))
        if self._offsets:
            self._offsets.append(np.zeros(1))
        self.counts = {"items": 0, "steps": 0}
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
            raise UserError(f"data: sequence {self.counts['items'] + 1} of the {self._split} split has unequal "
                            f"numbers of steps: {said}.{advice}")
        if not length and self._layout != "stream":
            raise UserError(f"data: sequence {self.counts['items'] + 1} of the {self._split} split is empty. Leave it "
                            "out of the source.")
        for name, each in rows.items():
            if name not in self._arrays:
                kind = self._kind(name, each)
                self._arrays[name] = Array(self._folder / f"{name}.{self._split}.npy", kind, each.shape[1:])
            self._arrays[name].append(each)
        self.counts["items"] += 1
        self.counts["steps"] += length
        self.longest = max(self.longest, length)
        if self._offsets:
            self._offsets.append(np.array([self.counts["steps"]]))

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
        elif frame is not None and not frame.config.log:
            level, swing = np.abs(rows).max(axis=0), frame.correction.deviation
        else:
            return False
        return bool((level > 1000 * swing).any())

    def _encode(self, name: str, value: Any) -> Values:
        where = f"data.{name}, sequence {self.counts['items'] + 1} of the {self._split} split"
        if name in self._encoders.tokenizers:
            return self._symbols(self._encoders.tokenizers[name], value)
        if name in self._encoders.classes:
            return self._encoders.classes[name].encode(value, where)
        rows = _rows(value, self._per_step(name))
        _check_width(self._encoders.sizes, name, rows, where)
        _check_numbers(self._config, rows, where)
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
            self.counts["items"] = min(1, self.counts["steps"])
        for array in (*self._arrays.values(), *([self._offsets] if self._offsets else [])):
            array.close()


def whole_lines(pieces: Iterable[str], block: int = 1 << 20) -> Iterator[str]:
    """The same text in blocks that end with a line: a merge of `bpe` then never straddles two of them."""
    rest = ""
    for piece in pieces:
        rest += piece
        if len(rest) >= block:
            cut = rest.rfind("\n") + 1 or len(rest)
            yield rest[:cut]
            rest = rest[cut:]
    if rest:
        yield rest


class Array:
    """A `.npy` file that grows row by row; its header is written when its length is known."""

    def __init__(self, path: Path, kind: np.dtype[Any], row: tuple[int, ...] = ()) -> None:
        self._file, self._kind, self._row, self._length = path.open("wb"), kind, row, 0
        self._header()

    def append(self, values: Values) -> None:
        self._file.write(values.astype(self._kind).tobytes())
        self._length += len(values)

    def close(self) -> None:
        self._file.seek(0)
        self._header()      # of the same size: the format leaves room for a longer shape
        self._file.close()

    def _header(self) -> None:
        shape = (self._length, *self._row)
        descr = npy.dtype_to_descr(self._kind)      # type: ignore[no-untyped-call]
        described = {"descr": descr, "fortran_order": False, "shape": shape}
        npy.write_array_header_1_0(self._file, described)   # type: ignore[no-untyped-call]

    def __enter__(self) -> "Array":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
