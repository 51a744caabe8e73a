"""The prepared folder: arrays that are mapped, never loaded, and `spec.json`, which describes them."""

import json
from dataclasses import dataclass
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.base.errors import UserError
from unroll.base.files import sha256
from unroll.config.data import DataConfig
from unroll.data.fields import Sequences, sequences
from unroll.data.holes import Holes
from unroll.data.source import Place, Split
from unroll.data.spec import Part, Spec, parse, read_spec
from unroll.data.tokenizers import Tokenizer, restore

# a field's name has neither dot nor upper case, so that no name can clash with a file of the folder's own
SPEC = "spec.json"
VALUES = "{split}/{field}/values.npy"
KNOWN = "{split}/{field}/known.npy"         # of a field that is not known everywhere: a boolean for each number
TOTALS = "{split}/{field}/totals.npy"       # and how many are known in all rows before each, and in all
OFFSETS = "{split}/offsets.npy"
OWN_OFFSETS = "{split}/{field}/offsets.npy"     # of a field whose sequences have a length of their own
PLACES = "{split}/places.json"
TOKENIZER = "{field}.tokenizer.json"

AGAIN = "Make it again with `unroll prepare`."


class Contents(Part):
    """`spec.json`: the spec, and what only the prepared folder itself needs."""

    spec: Spec
    configuration: dict[str, Any]       # section data, so that a change of it is noticed
    files: dict[str, str]               # SHA-256 of every other file


@dataclass(frozen=True)
class Prepared:
    """A prepared folder, opened; `digest` changes with every byte of it."""

    folder: Path
    spec: Spec
    files: dict[str, str]       # SHA-256 of each, by its path in the folder
    digest: str

    def tokens(self, field: str, split: Split) -> NDArray[np.unsignedinteger[Any]]:
        """(N,) symbols of a split; short items follow each other, each with its end symbol."""
        return self.values(field, split)

    def values(self, field: str, split: Split) -> NDArray[Any]:
        """One row per step or per sequence, as in the source: reals are not scaled; 0 where `holes` has one."""
        values: NDArray[Any] = self._load(VALUES.format(split=split, field=field))
        return values

    def raw(self, field: str, split: Split, first: int = 0, last: int | None = None) -> NDArray[Any]:
        """Rows [first, last) of `values`, NaN where a real number is not known."""
        values, holes = self.values(field, split)[first:last], self.holes(field, split)
        if holes is None or values.dtype.kind != "f":
            return values
        return np.where(holes.known[first:last], values, np.nan)

    def holes(self, field: str, split: Split) -> Holes | None:
        """Which numbers of a field are known; None: all of them."""
        if KNOWN.format(split=split, field=field) not in self.files:
            return None
        return Holes(*(self._load(name.format(split=split, field=field)) for name in (KNOWN, TOTALS)))

    def known(self, field: str, split: Split) -> NDArray[np.int64]:
        """The rows of a target of which something is known."""
        holes = self.holes(field, split)
        if holes is None:
            return np.arange(len(self.values(field, split)))
        return np.flatnonzero(np.diff(holes.totals))

    def offsets(self, split: Split) -> NDArray[np.int64] | None:
        """(sequences + 1,) where each sequence starts and the last one ends; None for a stream."""
        return None if self.spec.layout == "stream" else self._load(OFFSETS.format(split=split))

    def own_offsets(self, field: str, split: Split) -> NDArray[np.int64] | None:
        """(sequences + 1,) the same of an input on an axis of its own; None for others."""
        name = OWN_OFFSETS.format(split=split, field=field)
        return self._load(name) if name in self.files else None

    def places(self, split: Split) -> list[Place]:
        """One for each sequence, or series to forecast; numbered from 1 on where the source has no names."""
        name = PLACES.format(split=split)
        path = self.folder / name
        if name not in self.files:
            return [Place(str(number + 1)) for number in range(self.spec.splits[split].sequences)]
        try:
            return [Place(*place) for place in json.loads(path.read_text(encoding="utf-8"))]
        except (OSError, ValueError, TypeError) as error:
            raise _unusable(path, error) from None

    def tokenizer(self, field: str) -> Tokenizer:
        path = self.folder / TOKENIZER.format(field=field)
        try:
            return restore(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise _unusable(path, error) from None

    def sequences(self, split: Split) -> Sequences:
        """The fields of the split, for batches; of a forecast's validation and test, the windows that are scored."""
        offsets = self.offsets(split)
        values = {name: self.values(name, split) for name in {**self.spec.inputs, **self.spec.targets}}
        holes = {name: found for name in values if (found := self.holes(name, split)) is not None}
        own = {name: starts for name in self.spec.inputs if (starts := self.own_offsets(name, split)) is not None}
        return sequences(self.spec, values, offsets, holes, own, scored=split != "train")

    def _load(self, name: str) -> Any:
        try:
            return np.load(self.folder / name, mmap_mode="r")
        except (OSError, ValueError, EOFError, TokenError) as error:    # NumPy raises any of them
            raise _unusable(self.folder / name, error) from None


def _unusable(path: Path, error: Exception) -> UserError:
    if isinstance(error, FileNotFoundError):
        return UserError("missing-file", path, f"missing. {AGAIN}")
    return UserError("damaged", path, f"damaged. {AGAIN}")


def open_prepared(folder: Path, config: DataConfig | None = None) -> Prepared:
    """Open a prepared folder; with `config`, refuse one that was made from another configuration."""
    path = folder / SPEC
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError("missing-file", path, "no such file. Make it with `unroll prepare`.") from None
    except (ValueError, RecursionError):
        raise UserError("damaged", path, f"damaged. {AGAIN}") from None
    # up to format 2 the spec was not a part of the file but all of it
    read_spec(content.get("spec", content) if isinstance(content, dict) else None, path, AGAIN)
    contents = parse(Contents, content, path, AGAIN)
    if config is not None:
        asked, made = config.model_dump(mode="json"), contents.configuration
        differing = [key for key in {**asked, **made} if asked.get(key) != made.get(key)]
        if differing:
            raise UserError("stale", folder, f"made from another configuration (data.{differing[0]} differs). {AGAIN}")
    return Prepared(folder, contents.spec, contents.files, sha256(path))
