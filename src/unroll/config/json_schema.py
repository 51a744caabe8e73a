"""JSON schemas of the groups in conf/, from the same declarations that validate params.yaml."""

from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from unroll.base.files import write_json
from unroll.config.data import DataConfig
from unroll.config.evaluate import EvaluateConfig
from unroll.config.generate import GenerateConfig
from unroll.config.model import ModelConfig
from unroll.config.pretrained import PretrainedConfig
from unroll.config.runtime import RuntimeConfig
from unroll.config.schema import Config
from unroll.config.tokenizer import Tokenizer
from unroll.config.train import OptimizerConfig, TrainConfig

GROUPS: dict[str, Any] = {
    "data": DataConfig,
    "data-tokenizer": Tokenizer,
    "model": ModelConfig,
    "task": ModelConfig,
    "train": TrainConfig,
    "train-optimizer": OptimizerConfig,
    "pretrained": PretrainedConfig,
    "evaluate": EvaluateConfig,
    "generate": GenerateConfig,
    "runtime": RuntimeConfig,
    "experiment": Config,
}


def write_schemas(folder: Path) -> None:
    """One `<group>.json` for each group of conf/."""
    for group, kind in GROUPS.items():
        write_json(folder / f"{group}.json", schema(kind))


def schema(kind: Any) -> dict[str, Any]:
    """The schema of a file in a group: parts may be missing, since files compose, and `defaults` is Hydra's."""
    described: dict[str, Any] = TypeAdapter(kind).json_schema()
    described = _partial(described)
    described["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return described


def _partial(value: Any) -> Any:
    """No part is required, and `oneOf` is `anyOf`, since a part without its kind fits several of a union."""
    if isinstance(value, list):
        return [_partial(part) for part in value]
    if not isinstance(value, dict):
        return value
    made = {"anyOf" if name == "oneOf" else name: _partial(part) for name, part in value.items()}
    if value.get("type") == "object" and "properties" in value:
        made.pop("required", None)
        made["properties"] = {name: _or_interpolation(part) for name, part in made["properties"].items()}
        made["properties"]["defaults"] = {"type": "array", "description": "Hydra's defaults list"}
    return made


def _or_interpolation(value: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [value, {"type": "string", "pattern": r"^\$\{.+\}$"}]}
