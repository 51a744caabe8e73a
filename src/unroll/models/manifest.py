"""A model folder without PyTorch: `model.json`, and the digest of every file beside it.

The architecture in `model.json` is the settings of the network's parts as they were when it was saved. A kind whose
settings have got a new key since then says what older models had (`Strict.later`); whatever else changes has a new
format, and a step in `unroll.models.migration`.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from unroll.base.errors import UserError
from unroll.base.files import sha256, to_json
from unroll.base.version import VERSION
from unroll.config.data import lowest_note
from unroll.config.head import Generated
from unroll.config.model import ModelConfig
from unroll.config.strict import SAVED
from unroll.data.spec import Part, Spec
from unroll.data.tokenizers import Tokenizer, restore
from unroll.models.migration import FORMAT, OLDER, migrate

MANIFEST, WEIGHTS = "model.json", "model.safetensors"
CALIBRATION = "calibration.json"        # what was learned from validation data beside the weights; not of all models
START, STEP, STEP_INT8 = "start.onnx", "step.onnx", "step.int8.onnx"    # where network and cell have them


class Manifest(Part):
    """`model.json` but for `digest`, the SHA-256 of the rest."""

    format: Literal[4] = 4
    version: str | None             # of unroll, which wrote it; formats before 4 did not say
    architecture: ModelConfig
    blocks: tuple[str, ...]         # the cell's gates, in the order in which their matrices are stacked
    variant: str                    # of the cell's equations
    spec: Spec
    prepared: str                   # digest of the prepared folder that it was trained on
    files: dict[str, str]           # SHA-256 of each file beside it


@dataclass(frozen=True)
class ModelFolder:
    """A folder that is whole."""

    folder: Path
    manifest: Manifest
    tokenizers: dict[str, Tokenizer]

    @property
    def config(self) -> ModelConfig:
        return self.manifest.architecture

    @property
    def spec(self) -> Spec:
        return self.manifest.spec

    @property
    def heads(self) -> str:
        """Their kinds, as a sentence names them."""
        return ", ".join(head.kind for head in self.config.heads.values())

    @property
    def beside(self) -> str:
        """Why a forecaster draws no paths, if it does not."""
        beside = [name for name in self.spec.inputs if self.spec.forecast is not None and name != self.spec.main]
        return f" and it reads {', '.join(beside)} beside its series, which no path has;" if beside else ";"

    @property
    def generates(self) -> Generated | None:
        return generated(self.config, self.spec)


def generated(config: ModelConfig, spec: Spec) -> Generated | None:
    """What a model with these heads can generate, or None; other heads may predict something beside it."""
    if spec.drawn:
        return "rows" if all(config.heads[name].draw for name in spec.drawn) else None
    if spec.forecast is not None and len(spec.inputs) > 1:      # of a path's own steps, these are not known
        return None
    found = [head.generates for name, head in config.heads.items() if spec.targets[name].of is not None]
    if len(found) != 1 or (found[0] == "music" and lowest_note(spec.source.kind) is None):
        return None
    return found[0]


def open_folder(folder: Path) -> ModelFolder:
    """Raises `UserError` if a file is missing, truncated, edited, or of a version that this one cannot read."""
    path = folder / MANIFEST
    manifest = _manifest(path, _whole(path))
    for name, digest in manifest.files.items():
        if not (folder / name).is_file():
            raise UserError("missing-file", folder / name, "missing. Make the model again with `dvc repro`.")
        if sha256(folder / name) != digest:
            raise damaged(folder / name)
    tokenizers = {
        name: restore(json.loads((folder / f"{name}.tokenizer.json").read_text(encoding="utf-8")))
        for name, field in manifest.spec.inputs.items()
        if field.kind == "tokens"
    }
    return ModelFolder(folder, manifest, tokenizers)


def _whole(path: Path) -> dict[str, Any]:
    """The JSON of a format that can be read, its digest checked and taken off."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise UserError("missing-file", path, "no such file. Make the model with `dvc repro` or "
                        "`unroll train`.") from None
    except (ValueError, RecursionError, IsADirectoryError):
        raise damaged(path) from None
    if not isinstance(content, dict) or not isinstance(content.get("format"), int):
        raise damaged(path)
    if content["format"] not in (*OLDER, FORMAT):
        found = content["format"]
        raise _other_version(path, f"format {found}; only formats {min(OLDER)} to {FORMAT} can be read",
                             content.get("version"))
    if content.pop("digest", None) != digest_of(content):
        raise damaged(path)
    return content


def _manifest(path: Path, content: dict[str, Any]) -> Manifest:
    try:
        current = migrate(content)
    except (KeyError, TypeError, AttributeError):
        raise damaged(path) from None
    try:
        return Manifest.model_validate_json(json.dumps(current), context=SAVED)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        if first["type"] == "extension":        # it is installed, and cannot be imported
            raise UserError("extension", path, f"{place}: {first['msg']}") from None
        if first["type"] == "union_tag_invalid":
            raise UserError("extension", path, f"{place}: no kind {first['ctx']['tag']!r} is known. Install the "
                            "package that has it, or the version of unroll that wrote the model.") from None
        raise _other_version(path, f"{place}: {first['msg'].rstrip('.')}", current["version"]) from None


def _other_version(path: Path, text: str, version: str | None) -> UserError:
    by = f"unroll {version}" if version else "another version of unroll"
    return UserError("wrong-version", path, f"{text}; written by {by}, and this is {VERSION}. Use the one "
                     "that wrote it, or train the model again.")


def digest_of(content: dict[str, Any]) -> str:
    return hashlib.sha256(to_json(content).encode()).hexdigest()


def damaged(path: Path) -> UserError:
    return UserError("damaged", path, "damaged or edited. Make the model again with `dvc repro`.")
