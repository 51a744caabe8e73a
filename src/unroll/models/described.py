"""What stands in a model folder, looked at without PyTorch."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from unroll.base.errors import UserError
from unroll.base.files import sha256, to_json
from unroll.config.heads import HEADS
from unroll.data.migration import migrate_spec
from unroll.data.spec import Spec, read_spec
from unroll.data.tokenizers import Tokenizer, restore
from unroll.models.formats import FORMAT, STEPS, migrate

WEIGHTS = "model.safetensors"
STEP, STEP_INT8 = "step.onnx", "step.int8.onnx"     # the second of LSTMs alone


Written = Literal["text", "music", "paths"]


def writes(heads: Sequence[str], spec: Spec) -> Written | None:
    """How a model with these kinds of heads goes on with what it was given, if it does."""
    if len(heads) != 1:
        return None
    generated: Written | None = HEADS.settings_of(heads[0]).generates
    return None if generated == "music" and spec.source.kind != "pianoroll" else generated


@dataclass(frozen=True)
class Opened:
    """A folder that is whole; `described` is its `model.json`."""

    folder: Path
    described: dict[str, Any]
    spec: Spec
    tokenizers: dict[str, Tokenizer]

    @property
    def heads(self) -> str:
        """Their kinds, as a sentence names them."""
        return ", ".join(head["kind"] for head in self.described["architecture"]["heads"].values())

    @property
    def writes(self) -> Written | None:
        heads = self.described["architecture"]["heads"]
        return writes([head["kind"] for head in heads.values()], self.spec)


def open_folder(folder: Path) -> Opened:
    """Raises `UserError` when a file is missing, truncated, edited or of another version."""
    path = folder / "model.json"
    try:
        described = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(described, dict) or described.get("format") not in (*STEPS, FORMAT):
            raise UserError(f"{path}: of another version of unroll. Train the model again.")
        whole = described.pop("digest", None) == digest_of(described)
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(f"{path}: no such file. Make the model with `dvc repro` or `unroll train`.") from None
    except (ValueError, RecursionError, IsADirectoryError):
        raise damaged(path) from None
    if not whole:
        raise damaged(path)
    for name, digest in described["files"].items():
        if not (folder / name).is_file():
            raise UserError(f"{folder / name}: missing. Make the model again with `dvc repro`.")
        if sha256(folder / name) != digest:
            raise damaged(folder / name)
    migrate(described)
    spec = read_spec(migrate_spec(described["spec"]), path, "Train the model again.")
    tokenizers = {
        name: restore(json.loads((folder / f"{name}.tokenizer.json").read_text(encoding="utf-8")))
        for name, field in spec.inputs.items()
        if field.kind == "tokens"
    }
    return Opened(folder, described, spec, tokenizers)


def digest_of(described: dict[str, Any]) -> str:
    return hashlib.sha256(to_json(described).encode()).hexdigest()


def damaged(path: Path) -> UserError:
    return UserError(f"{path}: damaged or edited. Make the model again with `dvc repro`.")
