"""The whole of `params.yaml`, and which stage is handed which part of it."""

from collections.abc import Iterator
from itertools import chain

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from unroll.config.data import FUTURE, DataConfig
from unroll.config.encoders import ENCODERS
from unroll.config.evaluate import EvaluateConfig
from unroll.config.generate import GenerateConfig
from unroll.config.heads import HEADS
from unroll.config.model import ModelConfig
from unroll.config.poolings import POOLINGS
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
    def _parts_agree(self) -> "Config":
        # one after another: kinds are compared of names that agree
        for mistake in chain(_names(self.data, self.model), _kinds(self.data, self.model)):
            raise PydanticCustomError("agree", "{text}", {"text": mistake})
        return self


def _names(data: DataConfig, model: ModelConfig) -> Iterator[str]:
    for ours, theirs, part in ((model.inputs, data.inputs, "inputs"), (model.heads, data.targets, "heads")):
        if set(ours) != set(theirs):
            yield (f"model.{part} names {sorted(ours)} where data has {sorted(theirs)}; choose the task that "
                   "fits (task=…, conf/task/), or use the same names")
    for part, names in (("inputs", data.inputs), ("targets", data.targets)):
        if len(names) > 1:
            yield (f"data.{part}: {len(names)} of them ({', '.join(sorted(names))}); several at once are not supported "
                   "yet. Leave one")


PER_SEQUENCE = ("class", "value", "forecast")       # targets of which a sequence has one


def _kinds(data: DataConfig, model: ModelConfig) -> Iterator[str]:
    for name, field in data.inputs.items():
        encoder = model.inputs[name]
        if encoder.reads != field:
            fitting = [kind for kind in ENCODERS.own if ENCODERS.settings_of(kind).reads == field]
            yield f"model.inputs.{name}: {field} need kind {' or '.join(fitting)}, not {encoder.kind}"
    for name, target in data.targets.items():
        head = model.heads[name]
        predicted: str = target
        if target == "next":
            predicted = "next_symbol" if data.inputs[name] == "tokens" else "next_value"
        if predicted not in head.predicts:
            fitting = [kind for kind in HEADS.own if predicted in HEADS.settings_of(kind).predicts]
            yield f"model.heads.{name}: a target of kind {target} needs kind {' or '.join(fitting)}, not {head.kind}"
        if target in PER_SEQUENCE and not head.per_sequence:
            yield f"model.heads.{name}.pooling: one {target} a sequence needs one of {', '.join(POOLINGS.own)}"
        if target not in PER_SEQUENCE and head.per_sequence:
            yield f"model.heads.{name}.pooling: a target every step has none; set it to null"
        if model.core.both_ways and target in FUTURE and target != "forecast":
            yield (f"model.core.bidirectional: the target {name} is the future of the input, which a recurrence from "
                   "the end on has read; set it to false")


SECTIONS = tuple(Config.model_fields)

# `dvc.yaml` lists the same sections as each stage's params (a test compares them); `runtime`, which cannot
# change a byte, is handed to every stage and listed by none.
STAGE_SECTIONS = {
    "prepare": ("data",),
    "train": ("data", "model", "train"),
    "evaluate": ("evaluate",),
    "generate": ("generate",),
}
