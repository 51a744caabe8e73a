"""Section `train`: everything that decides the weights' bytes besides data and model."""

from typing import Annotated, Literal

from pydantic import (
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from unroll.config.strict import Name, Seed, Strict

Momentum = Annotated[float, Field(ge=0, lt=1)]


class AdamWConfig(Strict):
    """Loshchilov & Hutter (2019)."""

    kind: Literal["adamw"]
    beta1: Momentum
    beta2: Momentum
    weight_decay: NonNegativeFloat


class SGDConfig(Strict):
    kind: Literal["sgd"]
    momentum: Momentum
    weight_decay: NonNegativeFloat


class RMSpropConfig(Strict):
    """Tieleman & Hinton (2012)."""

    kind: Literal["rmsprop"]
    alpha: Momentum         # smoothing of the squared gradient
    momentum: Momentum
    weight_decay: NonNegativeFloat


OptimizerConfig = Annotated[AdamWConfig | SGDConfig | RMSpropConfig, Field(discriminator="kind")]


class ScheduleConfig(Strict):
    kind: Literal["constant", "cosine"]         # after the warm-up
    warmup_steps: NonNegativeInt
    final_fraction: Annotated[float, Field(ge=0, le=1)]     # of the learning rate, where the cosine ends


class TrainConfig(Strict):
    seed: Seed
    batch_size: PositiveInt                 # lanes of a stream, or items of a batch, over all devices
    bptt: PositiveInt                       # steps of truncated back-propagation through time
    epochs: PositiveInt
    max_steps: PositiveInt | None           # optimiser steps
    max_minutes: PositiveFloat | None       # a limit by the clock: the bytes then depend on the machine's speed
    weights: dict[Name, NonNegativeFloat]   # of the targets' losses; a target that is not named has weight 1
    balance: Name | None                    # the target whose classes are drawn equally often; none: each sequence once
    monitor: str                            # what the best weights are chosen by: loss, or <target>/<measure>
    stop_below: PositiveFloat | None        # a validation loss that is good enough
    patience: PositiveInt | None            # validations that are no better before stopping early
    learning_rate: PositiveFloat
    optimizer: OptimizerConfig
    schedule: ScheduleConfig
    clip_norm: PositiveFloat | None         # of the whole gradient (Pascanu et al., 2013)
    accumulate: PositiveInt                 # batches to an optimiser step
    validate_steps: PositiveInt | None      # batches between validations; none: once an epoch
    log_steps: PositiveInt                  # optimiser steps that a point of the training curve averages
    accelerator: Literal["cpu", "gpu", "auto"]
    devices: PositiveInt
    num_nodes: PositiveInt
    strategy: Literal["auto", "ddp"]
    precision: Literal["32-true", "bf16-mixed", "16-mixed"]
    threads: PositiveInt                    # of each process: sums in another order are other bytes

    @field_validator("strategy", mode="before")
    @classmethod
    def _not_sharded(cls, strategy: object) -> object:
        if isinstance(strategy, str) and strategy.startswith(("fsdp", "deepspeed", "model_parallel")):
            text = (f"{strategy}: sharded weights are not supported. Lightning shards on GPUs only, where nothing here "
                    "tests it, and a recurrent network fits on every device: set ddp")
            raise PydanticCustomError("sharded", "{text}", {"text": text})
        return strategy

    @model_validator(mode="after")
    def _lanes_divide(self) -> "TrainConfig":
        ranks = self.devices * self.num_nodes
        if self.batch_size % ranks:
            text = (f"batch_size {self.batch_size} cannot be dealt evenly to {ranks} devices: set it to "
                    f"{-(-self.batch_size // ranks) * ranks}, or another multiple of {ranks}")
            raise PydanticCustomError("lanes", "{text}", {"text": text})
        return self
