"""Section `runtime`: only what cannot change a byte of any output (a test flips every key)."""

from typing import Literal

from pydantic import NonNegativeInt, PositiveFloat, PositiveInt

from unroll.config.strict import Strict


class TrackingConfig(Strict):
    enabled: bool
    uri: str | None         # MLFLOW_TRACKING_URI wins; none: mlflow.db in the repository
    experiment: str
    sample_length: NonNegativeInt   # symbols sampled for MLflow after each validation; 0: none
    on_failure: Literal["continue", "stop"]     # when the tracking server does not answer


class CheckpointConfig(Strict):
    """When a training is saved, to go on from there after it was stopped; both: whichever comes first."""

    steps: PositiveInt | None       # optimiser steps
    minutes: PositiveFloat | None


class RuntimeConfig(Strict):
    workers: NonNegativeInt         # processes that load batches
    progress: bool
    mirror: str | None              # a folder of downloads by file name, searched before the network
    checkpoint: CheckpointConfig
    wait_minutes: PositiveFloat     # for the other processes of a training, at its start and in its midst
    tracking: TrackingConfig
