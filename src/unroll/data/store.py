"""The prepared folder: arrays that are mapped, never loaded, and `spec.json`, which says what they are."""

import json
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.base.errors import UserError
from unroll.base.files import sha256
from unroll.config.data import DataConfig, ForecastConfig
from unroll.data.encoders import Frame, Scaler
from unroll.data.fields import IGNORED, Field, Sequences
from unroll.data.source import Place, Split
from unroll.data.tokenizers import Ids, Tokenizer, restore

FORMAT = 2


@dataclass(frozen=True)
class Prepared:
    """A prepared folder, opened; `digest` changes with every byte of it.

    `spec["layout"]` is stream, items or windows; `spec["inputs"]` and `spec["targets"]` describe each field.
    """

    folder: Path
    spec: dict[str, Any]
    digest: str

    def tokens(self, field: str, split: Split) -> NDArray[np.unsignedinteger[Any]]:
        """(N,) symbols of a split; short items follow each other, each with its end symbol."""
        return self.values(field, split)

    def values(self, field: str, split: Split) -> NDArray[Any]:
        """A row a step, or a row a sequence, as the source has them: reals are not scaled."""
        values: NDArray[Any] = self._load(f"{field}.{split}.npy")
        return values

    def offsets(self, split: Split) -> NDArray[np.int64] | None:
        """(sequences + 1,) where each sequence starts and the last one ends; None for a stream."""
        return None if self.spec["layout"] == "stream" else self._load(f"offsets.{split}.npy")

    def places(self, split: Split) -> list[Place]:
        """Of each sequence, or series to be forecast; numbered from 1 on where the source has no names."""
        path = self.folder / f"places.{split}.json"
        if path.name not in self.spec["files"]:
            return [Place(str(number + 1)) for number in range(self.spec["splits"][split]["items"])]
        try:
            return [Place(*each) for each in json.loads(path.read_text(encoding="utf-8"))]
        except (OSError, ValueError, TypeError) as error:
            raise _unusable(path, error) from None

    def tokenizer(self, field: str) -> Tokenizer:
        path = self.folder / f"{field}.tokenizer.json"
        try:
            return restore(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise _unusable(path, error) from None

    def sequences(self, split: Split) -> Sequences:
        """The split as batches are cut from it."""
        offsets = self.offsets(split)
        values = {name: self.values(name, split) for name in {**self.spec["inputs"], **self.spec["targets"]}}
        return sequences(self.spec, values, offsets)

    def _load(self, name: str) -> Any:
        try:
            return np.load(self.folder / name, mmap_mode="r")
        except (OSError, ValueError, EOFError, TokenError) as error:    # all of them are NumPy's
            raise _unusable(self.folder / name, error) from None


def sequences(spec: dict[str, Any], values: dict[str, NDArray[Any]], offsets: NDArray[np.int64] | None) -> Sequences:
    """Arrays as the spec describes them, or, without its targets, those of sequences to be predicted."""
    inputs = {name: _input(spec, name, values[name]) for name in spec["inputs"]}
    given = {name: each for name, each in spec["targets"].items() if each.get("of", name) in values}
    if spec["layout"] == "windows":
        frame = frame_of(spec)
        return Sequences(inputs, {}, _windows(spec, frame, offsets), frame)
    targets = {name: _target(each, values[each.get("of", name)]) for name, each in given.items()}
    if offsets is None:
        return Sequences(inputs, targets, None)
    # the last step of a sequence has no next one to predict
    last = max((each.ahead for each in targets.values()), default=0)
    bounds = np.stack([offsets[:-1], np.maximum(offsets[:-1], offsets[1:] - last)], axis=1)
    return Sequences(inputs, targets, bounds)


def frame_of(spec: dict[str, Any]) -> Frame:
    (target,) = spec["targets"].values()
    return Frame.restore(ForecastConfig.model_validate(spec["data"]["forecast"]), target["frame"])


def _input(spec: dict[str, Any], name: str, values: NDArray[Any]) -> Field:
    described = spec["inputs"][name]
    if described["kind"] == "tokens":
        if "begin" in described:        # read one step late, so that each symbol is predicted from those before it
            return Field(values, "step", described["begin"], np.int64, ahead=-1)
        return Field(values, "step", 0, np.int64)
    if spec["layout"] == "windows":
        return Field(values, "step", 0, np.float32)
    return Field(values, "step", 0, np.float32, show=Scaler.restore(described["scale"]).encode)


def _target(described: dict[str, Any], values: NDArray[Any]) -> Field:
    per, ahead = described["per"], described.get("ahead", 0)
    if described["kind"] == "classes":
        return Field(values, per, IGNORED, np.int64, ahead)
    show = Scaler.restore(described["scale"]).encode if "scale" in described else _float
    return Field(values, per, np.nan, np.float32, ahead, show)


def _float(values: NDArray[Any]) -> NDArray[np.float32]:
    return values.astype(np.float32)


def _windows(spec: dict[str, Any], frame: Frame, offsets: NDArray[np.int64] | None) -> NDArray[np.int64]:
    """(n, 2) the rows of each window; its target, the horizon, follows."""
    assert offsets is not None
    starts = [np.arange(first, last - frame.rows - frame.config.horizon + 1) for first, last in pairwise(offsets)]
    start = np.concatenate(starts) if starts else np.zeros(0, np.int64)
    return np.stack([start, start + frame.rows], axis=1)


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
