"""The prepared folder: arrays that are mapped, never loaded, and `spec.json`, which says what they are."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from unroll.config.data import DataConfig
from unroll.data.sources import SPLITS, Origin, Source, Split
from unroll.data.tokenizers import Ids, Tokenizer, restore
from unroll.errors import UserError
from unroll.files import sha256, write_json

FORMAT = 1


@dataclass(frozen=True)
class Prepared:
    """A prepared folder, opened; `digest` changes with every byte of it."""

    folder: Path
    spec: dict[str, Any]
    digest: str

    def tokens(self, field: str, split: Split) -> NDArray[np.unsignedinteger[Any]]:
        """(N,) symbols of a split; short items follow each other, each with its end symbol."""
        tokens: NDArray[np.unsignedinteger[Any]] = self._load(f"{field}.{split}.npy")
        return tokens

    def offsets(self, field: str, split: Split) -> NDArray[np.int64] | None:
        """(items + 1,) where each short item starts and the last one ends; None for a stream."""
        return self._load(f"{field}.{split}.offsets.npy") if self.spec["unit"] == "line" else None

    def tokenizer(self, field: str) -> Tokenizer:
        path = self.folder / f"{field}.tokenizer.json"
        try:
            return restore(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise _unusable(path, error) from None

    def _load(self, name: str) -> Any:
        try:
            return np.load(self.folder / name, mmap_mode="r")
        except (OSError, ValueError, EOFError, TokenError) as error:    # all of them are NumPy's
            raise _unusable(self.folder / name, error) from None


def _unusable(path: Path, error: Exception) -> UserError:
    reason = "missing" if isinstance(error, FileNotFoundError) else "damaged"
    return UserError(f"{path}: {reason}. Make it again with `unroll prepare`.")


def open_prepared(folder: Path, config: DataConfig | None = None) -> Prepared:
    """Open a prepared folder; with `config`, refuse one that was made from another configuration."""
    path = folder / "spec.json"
    try:
        spec = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: no such file. Make it with `unroll prepare`.") from None
    except ValueError:
        raise UserError(f"{path}: damaged. Make it again with `unroll prepare`.") from None
    if not isinstance(spec, dict) or spec.get("format") != FORMAT:
        raise UserError(f"{path}: of another version of unroll. Make it again with `unroll prepare`.")
    if config is not None and spec["data"] != config.model_dump(mode="json"):
        asked = config.model_dump(mode="json")
        name = next(key for key in {**asked, **spec["data"]} if asked.get(key) != spec["data"].get(key))
        raise UserError(
            f"{folder}: made from another configuration (data.{name} differs). Make it again with `unroll prepare`."
        )
    return Prepared(folder, spec, sha256(path))


def decode(tokenizer: Tokenizer, tokens: Ids, offsets: NDArray[np.int64] | None) -> str:
    """The text of a split or of a part of it, each short item on a line of its own."""
    if offsets is None:
        return tokenizer.decode(tokens)
    return "".join(tokenizer.decode(tokens[start:stop]) + "\n" for start, stop in pairwise(offsets))


def write_prepared(folder: Path, config: DataConfig, source: Source, origin: Origin, tokenizer: Tokenizer) -> None:
    """Encode every split into `folder`, one pass each; raises `UserError` when a split is empty."""
    folder.mkdir(parents=True)
    (field,) = config.inputs
    splits = {}
    for split in SPLITS:
        splits[split] = _write_split(folder, f"{field}.{split}", source.pieces(split), tokenizer)
        if not splits[split]["tokens"]:
            raise UserError(f"data: the {split} split is empty; the source is too short. Give more text.")
    write_json(folder / f"{field}.tokenizer.json", tokenizer.state())
    write_json(
        folder / "spec.json",
        {
            "format": FORMAT,
            "data": config.model_dump(mode="json"),
            "source": vars(origin),
            "unit": config.unit,
            "inputs": {field: {"kind": "tokens", "size": tokenizer.size}},
            "targets": {field: {"kind": "next", "of": field, "size": tokenizer.size}},
            "splits": splits,
            "files": {file.name: sha256(file) for file in sorted(folder.iterdir())},
        },
    )


def _write_split(folder: Path, name: str, pieces: Iterable[str], tokenizer: Tokenizer) -> dict[str, int]:
    """Write one split's arrays and count what the metrics are divided by."""
    kind = np.min_scalar_type(tokenizer.size - 1)
    end = tokenizer.end
    items = end is not None
    count = {"tokens": 0, "characters": 0, "bytes": 0, "unknown": 0, "items": 0}
    offsets = Array(folder / f"{name}.offsets.npy", np.dtype(np.int64)) if items else None
    with Array(folder / f"{name}.npy", kind) as array:
        if offsets:
            offsets.append(np.zeros(1))
        for piece in pieces if items else whole_lines(pieces):
            ids = tokenizer.encode(piece)
            count["unknown"] += int((ids == tokenizer.unknown).sum()) if tokenizer.unknown is not None else 0
            if end is not None:
                ids = np.append(ids, end)
            array.append(ids)
            count["tokens"] += len(ids)
            # the end of an item is a character of the source: its newline
            count["characters"] += len(piece) + items
            count["bytes"] += len(piece.encode()) + items
            count["items"] += 1
            if offsets:
                offsets.append(np.array([count["tokens"]]))
    if offsets:
        offsets.close()
    else:
        count["items"] = 1
    return count


def whole_lines(pieces: Iterable[str], block: int = 1 << 20) -> Iterable[str]:
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
    """A one-dimensional `.npy` file that grows; its header is written when its length is known."""

    def __init__(self, path: Path, kind: np.dtype[Any]) -> None:
        self._file, self._kind, self._length = path.open("wb"), kind, 0
        self._header()

    def append(self, values: Ids | NDArray[np.float64]) -> None:
        self._file.write(values.astype(self._kind).tobytes())
        self._length += len(values)

    def close(self) -> None:
        self._file.seek(0)
        self._header()      # of the same size: the format leaves room for a longer shape
        self._file.close()

    def _header(self) -> None:
        described = {"descr": npy.dtype_to_descr(self._kind), "fortran_order": False, "shape": (self._length,)}
        npy.write_array_header_1_0(self._file, described)

    def __enter__(self) -> "Array":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
