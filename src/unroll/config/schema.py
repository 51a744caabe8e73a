"""The whole of `params.yaml`, and which stage is handed which part of it."""

from collections.abc import Iterator
from itertools import chain

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from unroll.base.errors import nearest
from unroll.config.data import AS_REAL, FUTURE, KNOWN_AHEAD, DataConfig
from unroll.config.encoders import ENCODERS
from unroll.config.evaluate import EvaluateConfig
from unroll.config.generate import GenerateConfig
from unroll.config.head import PER_SEQUENCE, HeadSettings
from unroll.config.heads import HEADS
from unroll.config.loss import LossSettings
from unroll.config.losses import LOSSES
from unroll.config.model import ModelConfig
from unroll.config.objective import LOSS, monitors, objective
from unroll.config.poolings import POOLINGS
from unroll.config.pretrained import PretrainedConfig
from unroll.config.runtime import RuntimeConfig
from unroll.config.strict import Strict
from unroll.config.train import TrainConfig


class Config(Strict):
    data: DataConfig
    model: ModelConfig
    train: TrainConfig
    pretrained: PretrainedConfig
    evaluate: EvaluateConfig
    generate: GenerateConfig
    runtime: RuntimeConfig

    @model_validator(mode="after")
    def _parts_agree(self) -> "Config":
        # one after another: kinds are compared once names agree
        for where, text in chain(_names(self.data, self.model), _kinds(self.data, self.model),
                                 _counts(self.data, self.model),
                                 _training(self.model, self.train), _balance(self.data, self.train)):
            raise PydanticCustomError("agree", "{where}: {text}", {"where": where, "text": text})
        return self


Mistake = tuple[str, str]       # the setting, and what is wrong with it
NEXT = {"tokens": "next_symbol", "categories": "next_category"}     # what the next step of an input is


def _names(data: DataConfig, model: ModelConfig) -> Iterator[Mistake]:
    for ours, theirs, part in ((model.inputs, data.inputs, "inputs"), (model.heads, data.targets, "heads")):
        if set(ours) != set(theirs):
            yield f"model.{part}", (f"names {sorted(ours)} where data has {sorted(theirs)}; choose the task that fits "
                                    "(task=…, conf/task/), or use the same names")


def _kinds(data: DataConfig, model: ModelConfig) -> Iterator[Mistake]:
    for name, field in data.inputs.items():
        encoder, read = model.inputs[name], {**KNOWN_AHEAD, **AS_REAL}.get(field, field)
        if encoder.reads != read:
            kinds = [kind for kind in ENCODERS.own if ENCODERS.settings_of(kind).reads == read]
            yield f"model.inputs.{name}", f"an input of kind {field} needs {' or '.join(kinds)}, not {encoder.kind}"
    for name, target in data.targets.items():
        yield from _head(name, target, data.inputs.get(name), model.heads[name])
        if model.core.both_ways and target in FUTURE and target != "forecast":
            yield "model.core.bidirectional", (f"the target {name} is the future of the input, which the backward "
                                               "direction has already read; set it to false")


def _counts(data: DataConfig, model: ModelConfig) -> Iterator[Mistake]:
    """A loss of counts and series of counts go together."""
    forecast = getattr(data, "forecast", None)
    for name, head in model.heads.items():
        loss = getattr(head, "loss", None)
        if data.targets[name] != "forecast" or forecast is None or not isinstance(loss, LossSettings):
            continue
        if loss.counts and forecast.log != "counts":
            yield "data.forecast.log", f"{loss.kind} is a loss of whole numbers from 0 on; set it to counts"
        if not loss.counts and forecast.log == "counts":
            kinds = [kind for kind in LOSSES.own if LOSSES.settings_of(kind).counts]
            yield f"model.heads.{name}.loss", (f"{loss.kind} is no loss of counts; choose {' or '.join(kinds)}, or set "
                                               "data.forecast.log to false")


def _head(name: str, target: str, read: str | None, head: HeadSettings) -> Iterator[Mistake]:
    """`read` is the kind of the input of that name, of which a next step is one."""
    predicted = NEXT.get(read or "", "next_value") if target == "next" else target
    if predicted not in head.predicts:
        kinds = [kind for kind in HEADS.own if predicted in HEADS.settings_of(kind).predicts]
        yield f"model.heads.{name}", f"a target of kind {target} needs {' or '.join(kinds)}, not {head.kind}"
    if target in PER_SEQUENCE and not head.per_sequence:
        yield f"model.heads.{name}.pooling", f"one {target} per sequence needs one of {', '.join(POOLINGS.own)}"
    if target not in PER_SEQUENCE and head.per_sequence:
        yield f"model.heads.{name}.pooling", f"a {target} at each step needs none; set it to null"


def _training(model: ModelConfig, train: TrainConfig) -> Iterator[Mistake]:
    for name in train.weights:
        if name not in model.heads:
            yield "train.weights", f"unknown target {name!r}; {nearest(name, model.heads)}"
    if not any(train.weights.get(name, 1) for name in model.heads):
        yield "train.weights", "all of them are 0, so that nothing would be learnt; give a target a weight above 0"
    known, units = monitors(model.heads), {name: head.unit for name, head in model.heads.items()}
    if train.monitor not in known:
        yield "train.monitor", f"unknown {train.monitor!r}; {nearest(train.monitor, known)}"
    elif train.monitor == LOSS and len({*units.values()}) > 1:
        listed = ", ".join(f"{name} in {unit.format(per='step or sequence')}" for name, unit in units.items())
        yield "train.monitor", (f"losses in several units do not add up ({listed}); set it to one of "
                                f"{', '.join(known[1:])}")
    elif objective(train.monitor, model.heads).higher_is_better and train.stop_below is not None:
        yield "train.stop_below", f"{train.monitor} is better when it is higher; set it to null"


def _balance(data: DataConfig, train: TrainConfig) -> Iterator[Mistake]:
    if train.balance is None:
        return
    if train.balance not in data.targets:
        yield "train.balance", f"unknown target {train.balance!r}; {nearest(train.balance, data.targets)}"
    elif data.targets[train.balance] != "class":
        yield "train.balance", (f"{train.balance} is of kind {data.targets[train.balance]}; sequences are drawn by a "
                                "class of the whole sequence. Set it to null, or let the loss weigh the classes")


SECTIONS = tuple(Config.model_fields)

# `dvc.yaml` lists the same sections as each stage's params (a test compares them); `runtime`, which cannot
# change a byte, is handed to every stage and listed by none.
STAGE_SECTIONS = {
    "prepare": ("data",),
    "train": ("data", "model", "train", "pretrained"),
    "evaluate": ("evaluate",),
    "generate": ("generate",),
}
