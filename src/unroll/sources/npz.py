"""Padded arrays of sequences and what is to be predicted from them. They are copied to disk, and read from there."""

from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unroll.base.errors import UserError, nearest
from unroll.config.data import CONTEXT, FUTURE
from unroll.config.sources.npz import Settings
from unroll.data.source import SPLITS, Piece, Source
from unroll.data.spec import Reading
from unroll.readers.npz import Arrays, check_lengths
from unroll.sources.common.access import Access
from unroll.sources.common.arrays import Field, Size
from unroll.sources.common.memory import Items, Lazy, joined, numbered
from unroll.sources.common.splits import hold_out


def open_source(settings: Settings, access: Access) -> tuple[Source, str, str]:
    """A file of X_train, y_train and so on; raises `UserError` naming file, array and index."""
    files = access.files(settings.path)
    if len(files) > 1:
        raise UserError("ambiguous", "data.path", f"{settings.path!r} matches {len(files)} files. Name one .npz file.")
    _check(settings)
    with closing(Arrays(files[0])) as arrays:
        source = _items(settings, arrays, access.scratch)
    source.reading = Reading(arrays={name: settings.arrays[name] for name in settings.inputs})
    return source, settings.path, settings.licence


def _check(settings: Settings) -> None:
    """Whether the settings name the array of each field, and agree; the schema checks the rest."""
    for name, kind in settings.inputs.items():
        if kind in ("tokens", "context_tokens"):
            raise UserError("unsupported", f"data.inputs.{name}", "arrays have no texts. For symbols, write text and "
                            "choose data.kind text, table or folder, or choose categories.")
    targets = [name for name, kind in settings.targets.items() if kind not in FUTURE]
    fields = [*settings.inputs, *targets]
    for name in settings.arrays:
        if name not in fields:
            raise UserError("unknown-name", f"data.arrays.{name}", "neither an input nor a target; "
                            f"{nearest(name, fields)}")
    for name in fields:
        if name not in settings.arrays:
            raise UserError("missing-value", f"data.arrays.{name}", f"missing. Name the array of {name}: X for "
                            "X_train, X_test.")
    read = {settings.arrays[name]: name for name in settings.inputs}
    for name in targets:
        if settings.arrays[name] in read:
            raise UserError("conflict", f"data.arrays.{name}", f"{settings.arrays[name]!r} is the input "
                            f"{read[settings.arrays[name]]}, too, which gives the target away. Name another array.")


def _items(settings: Settings, arrays: Arrays, scratch: Path | None) -> Items:
    main = settings.arrays[_main(settings)]
    has = {split: arrays.find(main, split) is not None for split in SPLITS}
    if has["test"] and settings.test is not None:
        raise UserError("conflict", "data.test", f"{arrays.file} has a test split of its own, {main}_test. Set "
                        "data.test=null.")
    if not has["test"] and settings.test is None:
        raise UserError("missing-value", arrays.file, f"no array {main}_test; it has {arrays.listed}. Add it, or set "
                        "data.test to the share that is to be held out, such as 0.2.")
    train = _Part(settings, arrays, "train", scratch)
    splits = hold_out(Lazy(len(train), train.classes), {}, settings.targets,
                      0 if has["validation"] else settings.validation, settings.test or 0, settings.seed)
    parts = [train]
    for split in ("validation", "test"):
        if has[split]:
            part = _Part(settings, arrays, split, scratch)
            part.check_widths(train)
            first = sum(map(len, parts))
            splits[split] = np.arange(first, first + len(part))
            parts.append(part)
    return Items(joined(*(Lazy(len(part), part.piece) for part in parts)), splits,
                 joined(*(numbered(len(part)) for part in parts)))


def _main(settings: Settings) -> str:
    """The input whose steps all others have."""
    return min(settings.step_inputs, key=lambda name: settings.inputs[name] != "real")


class _Part:
    """The arrays of one split."""

    def __init__(self, settings: Settings, arrays: Arrays, split: str, scratch: Path | None) -> None:
        kinds = [("inputs", name, str(kind)) for name, kind in settings.inputs.items()]
        kinds += [("targets", name, kind) for name, kind in settings.targets.items() if kind not in FUTURE]
        self._fields = {name: Field(arrays, arrays.name(settings.arrays[name], split), f"data.{part}.{name}", kind,
                                    part == "targets" or settings.missing_numbers is not None)
                        for part, name, kind in kinds}
        self._size = self._fields[_main(settings)].size
        steps = _lengths(arrays, "lengths", split, self._size)
        self._lengths = dict.fromkeys(self._fields, steps)
        for name, field in self._fields.items():
            size = self._size
            if settings.inputs.get(name) in CONTEXT:        # it has as many steps as its own array
                size = size._replace(steps=field.size.steps)
                self._lengths[name] = _lengths(arrays, f"{settings.arrays[name]}_lengths", split, field.size, 0)
            field.read(size, self._lengths[name], scratch)

    def __len__(self) -> int:
        return self._size.sequences

    def piece(self, at: int) -> Piece:
        return {name: field.value(at, int(self._lengths[name][at])) for name, field in self._fields.items()}

    def classes(self, at: int) -> Piece:
        """The targets of the sequence that decide its split."""
        return {name: field.value(at, 0) for name, field in self._fields.items() if field.kind == "class"}

    def check_widths(self, train: "_Part") -> None:
        for name, field in self._fields.items():
            other = train._fields[name]
            if field.width != other.width:
                raise UserError("unequal-lengths", field.where, f"{field.width} numbers where {other.name} has "
                                f"{other.width}. Give as many.")


def _lengths(arrays: Arrays, array: str, split: str, size: Size, least: int = 1) -> NDArray[np.int64]:
    """(n,) steps of each sequence, `least` to T."""
    name = arrays.find(array, split)
    if name is None:
        return np.full(size.sequences, size.steps)
    lengths = arrays.load(name)
    check_lengths((size.sequences, size.steps), size.name, lengths, f"{arrays.file}: {name}", least)
    return lengths.astype(np.int64)
