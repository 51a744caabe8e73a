"""NumPy's archives of arrays; pickled objects are refused."""

import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from unroll.base.errors import UserError
from unroll.data.spec import InputSpec
from unroll.readers.common.members import Header, blocks, read_header

HOLDS = "arrays"
ENDINGS = (".npz",)
READ = ("", "_test", "_train")          # how the arrays of a prediction end, the first that there are
# how the names of a split's arrays may end
SPLITS = {"train": ("_train", ""), "validation": ("_validation", "_val"), "test": ("_test",)}


class Arrays:
    """The arrays of each split, read when they are asked for; raises `UserError` naming file and array."""

    def __init__(self, file: Path) -> None:
        self.file = file
        if not zipfile.is_zipfile(file):
            raise UserError("unreadable", file, "not an .npz file that NumPy reads. Write one with np.savez(path, "
                            "X_train=...).")
        self._opened = file.open("rb")
        try:
            self._loaded = np.load(self._opened, allow_pickle=False)        # a pickle could run anything
        except Exception as error:      # a damaged archive can fail in any way
            self._opened.close()
            raise UserError("damaged", file, f"damaged ({error}). Write the file again.") from None
        self.names: list[str] = sorted(self._loaded.files)

    def close(self) -> None:
        self._loaded.close()
        self._opened.close()

    @property
    def listed(self) -> str:
        """The names of all arrays, for messages."""
        return ", ".join(self.names) or "no arrays"

    def find(self, array: str, split: str) -> str | None:
        """The name that an array of a split has in the file: X_train, or X where there is none; None without either."""
        return next((name for end in SPLITS[split] if (name := f"{array}{end}") in self.names), None)

    def name(self, array: str, split: str) -> str:
        """The same; raises `UserError` when the file lacks it."""
        name = self.find(array, split)
        if name is None:
            missing = " or ".join(f"{array}{end}" for end in SPLITS[split])
            raise UserError("missing-value", self.file, f"no array {missing}; it has {self.listed}. Add it.")
        return name

    def by_split(self) -> dict[str, dict[str, str]]:
        """Every array without the ending of a split, and the name that it has in each of its splits."""
        ends = [end for ends in SPLITS.values() for end in ends if end]
        bare = [next((name.removesuffix(end) for end in ends if name.endswith(end)), name) for name in self.names]
        return {array: {split: name for split in SPLITS if (name := self.find(array, split)) is not None}
                for array in dict.fromkeys(bare)}

    def header(self, name: str) -> Header:
        """Type and shape of an array, of which nothing else is read."""
        with self._reading(name), self._member(name) as member:
            return read_header(member)

    def load(self, name: str) -> NDArray[Any]:
        """A whole array in memory."""
        with self._reading(name):
            return np.asarray(self._loaded[name])

    def blocks(self, name: str, scratch: Path | None) -> Iterator[NDArray[Any]]:
        """Consecutive rows of an array of one dimension or more, a block of them in memory; at least one block.

        An array in Fortran's order is copied to a temporary file in `scratch` first.
        """
        with self._reading(name), self._member(name) as member:
            yield from blocks(member, scratch)
            member.read(1)      # at its end the checksum is compared

    def _member(self, name: str) -> IO[bytes]:
        archive = self._loaded.zip
        return archive.open(f"{name}.npy" if f"{name}.npy" in archive.namelist() else name)    # type: ignore[no-any-return]

    @contextmanager
    def _reading(self, name: str) -> Iterator[None]:
        try:
            yield
        except (UserError, OSError):    # such as a full disk
            raise
        except Exception as error:      # a damaged file can fail in any way
            if isinstance(error, ValueError) and "Object arrays" in str(error):
                raise UserError("unsupported", f"{self.file}: {name}", "an array of Python objects, which only pickle "
                                "reads and which is refused. Pad sequences to one length and give their lengths beside "
                                "it; write text as np.array(labels, dtype=str).") from None
            reason = " ".join(str(error).split()).rstrip(".")
            raise UserError("damaged", f"{self.file}: {name}", f"damaged ({reason}). Write the file again.") from None


def no_names(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Which values are numbers that name no class: those that are not whole. NaN is no value."""
    if values.dtype.kind != "f":
        return np.zeros(values.shape, bool)
    return np.asarray(~np.isnan(values) & ~(np.isfinite(values) & (values == np.round(values))))


def as_names(values: NDArray[Any]) -> NDArray[np.str_]:
    """Numbers, which are whole, and bytes as names: 3, not 3.0; NaN as no name.

    Raises `UnicodeDecodeError` for bytes that are not UTF-8.
    """
    if values.dtype.kind == "S":
        return np.char.decode(values, "utf-8")
    if values.dtype.kind != "f":
        return values.astype(str)
    known = ~np.isnan(values)
    return np.where(known, np.where(known, values, 0).astype(np.int64).astype(str), "")


def sequences(file: Path) -> Sequence[Any]:
    """Arrays (T, F) or (T,) of `X`, `X_test`, `X_train` or the only array, cut at `lengths` where there are any."""
    with closing(Arrays(file)) as arrays:
        end = next((end for end in READ if f"X{end}" in arrays.names), "")
        only = arrays.names[0] if len(arrays.names) == 1 else None
        return _input(arrays, f"X{end}" if f"X{end}" in arrays.names or only is None else only, end, None)


def sequences_of(file: Path, names: Mapping[str, str], inputs: Mapping[str, InputSpec]) -> list[dict[str, Any]]:
    """The values of each sequence by input, of arrays that have these names, or end in _test or _train.

    A single input may also be called X, or be the only array. Raises `UserError` naming file, array and index.
    """
    with closing(Arrays(file)) as arrays:
        main = min((name for name, field in inputs.items() if field.per == "step"),
                   key=lambda name: inputs[name].kind != "real")
        end = next((end for end in READ if f"{names[main]}{end}" in arrays.names), None)
        if end is None and len(inputs) == 1 and inputs[main].kind == "real":
            return [{main: values} for values in sequences(file)]
        end = end or ""
        values = {name: _input(arrays, f"{names[name]}{end}", end, field) for name, field in inputs.items()}
        for name in values:
            if len(values[name]) != len(values[main]):
                raise UserError("unequal-lengths", f"{file}: {names[name]}{end}", f"{len(values[name])} where "
                                f"{names[main]}{end} has {len(values[main])} sequences. Give one for each.")
        return [dict(zip(values, row, strict=True)) for row in zip(*values.values(), strict=True)]


def _input(arrays: Arrays, name: str, end: str, field: InputSpec | None) -> list[Any]:
    """Each sequence's values of an input, real numbers of steps where nothing is known of it."""
    where = f"{arrays.file}: {name}"
    if name not in arrays.names:
        raise UserError("missing-value", arrays.file, f"no array {name}; it has {arrays.listed}. Add it.")
    values = arrays.load(name)
    per_step, own = field is None or field.per != "sequence", field is not None and field.per == "own"
    if values.ndim not in ((2, 3) if per_step else (1, 2)):
        expected = "(sequences, steps, numbers)" if per_step else "(sequences, numbers)"
        raise UserError("wrong-type", where, f"has shape {values.shape}. Give {expected}.")
    lengths = f"{name.removesuffix(end)}_lengths{end}" if own else f"lengths{end}"
    sequences = list(values) if not per_step or lengths not in arrays.names else (
        cut(values, name, arrays.load(lengths), f"{arrays.file}: {lengths}", 0 if own else 1))
    if field is None or field.kind != "categories":
        return sequences
    return [_named(where, at, np.asarray(sequence)) for at, sequence in enumerate(sequences)]


def _named(where: str, at: int, values: NDArray[Any]) -> NDArray[np.str_]:
    """The names of the categories of a sequence, whose padding may be anything."""
    for place in np.argwhere(no_names(values))[:1]:
        raise UserError("bad-label", f"{where}[{', '.join(map(str, (at, *place)))}]", f"{values[tuple(place)]}, which "
                        "names no category. Give whole numbers or names.")
    try:
        return as_names(values)
    except UnicodeDecodeError as error:
        raise UserError("bad-label", f"{where}[{at}]", f"{error.object!r} is not UTF-8. Write names as "
                        "text.") from None


def cut(values: NDArray[Any], name: str, lengths: NDArray[Any], where: str, least: int = 1) -> list[NDArray[Any]]:
    """(n, T, …) padded at the end → n arrays; raises `UserError` when `lengths`, `least` to T, do not fit."""
    check_lengths(values.shape, name, lengths, where, least)
    return [sequence[:length] for sequence, length in zip(values, lengths, strict=True)]


def check_lengths(shape: tuple[int, ...], name: str, lengths: NDArray[Any], where: str, least: int = 1) -> None:
    if lengths.shape != shape[:1] or lengths.dtype.kind not in "iu":
        raise UserError("unequal-lengths", where, f"{lengths.dtype} of shape {lengths.shape} where {name} has "
                        f"{shape[0]} sequences. Give a whole number for each.")
    for at in np.flatnonzero((lengths < least) | (lengths > shape[1]))[:1]:
        raise UserError("out-of-range", f"{where}[{at}]", f"{lengths[at]} where {name} has {least} to {shape[1]} "
                        "steps. Correct it.")
