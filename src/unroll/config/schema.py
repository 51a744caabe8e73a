"""The whole of `params.yaml`, and which stage is handed which part of it."""

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from unroll.config.data import DataConfig
from unroll.config.evaluate import EvaluateConfig
from unroll.config.generate import GenerateConfig
from unroll.config.model import ModelConfig
from unroll.config.runtime import RuntimeConfig
from unroll.config.strict import Strict
from unroll.config.train import TrainConfig


class Config(Strict):
    data: DataConfig
    model: ModelConfig
    train: TrainConfig
    evaluate: EvaluateConfig
    generate: GenerateConfig
    runtime: RuntimeConfig

    @model_validator(mode="after")
    def _names_agree(self) -> "Config":
        for ours, theirs, part in (
            (self.model.inputs, self.data.inputs, "inputs"),
            (self.model.heads, self.data.targets, "heads"),
        ):
            if set(ours) != set(theirs):
                text = f"model.{part} names {sorted(ours)} where data has {sorted(theirs)}; use the same names"
                raise PydanticCustomError("names", "{text}", {"text": text})
        return self


SECTIONS = tuple(Config.model_fields)

# `dvc.yaml` lists the same sections as each stage's params (a test compares them); `runtime`, which cannot
# change a byte, is handed to every stage and listed by none.
STAGE_SECTIONS = {
    "prepare": ("data",),
    "train": ("data", "model", "train"),
    "evaluate": ("evaluate",),
    "generate": ("generate",),
}
