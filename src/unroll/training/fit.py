"""One training from fresh weights to the best ones."""

import logging
import math
import os
import sys
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

import torch
from lightning.pytorch import Callback, Trainer
from lightning.pytorch.callbacks import EarlyStopping, Timer

from unroll.base.errors import UserError, within_memory
from unroll.base.processes import rank
from unroll.config.objective import Objective
from unroll.config.train import TrainConfig
from unroll.models.folder import read_weights
from unroll.models.network import Network
from unroll.training.batches import Batches
from unroll.training.callbacks import AfterValidation, BestWeights, Clock, Curves, Progress, Row, StepLimit, Unit
from unroll.training.checkpoints import BEST, Checkpoints, Files, restore_best
from unroll.training.learner import Learner
from unroll.training.ranks import Meeting, Termination, check_devices, cluster_environment, explained, make_strategy
from unroll.training.work import Work


@dataclass(frozen=True)
class Result:
    """The outcome of a training."""

    best: Row           # the figures of the best weights on the validation split
    best_step: int
    steps: int
    targets: float      # trained on, over all ranks
    seconds: float      # of training, interruptions left out
    curves: dict[str, list[Row]]
    first: bool     # whether this process is the one that writes outputs

    @property
    def speed(self) -> float:
        """Targets per second."""
        return self.targets / self.seconds


@dataclass(frozen=True)
class Watch:
    """Observers of a training: `row` gets the curves' rows, `network` the network after each validation.

    Nothing here can change the result.
    """

    row: Callable[[str, Row], None]
    network: Callable[[Network, int], None]
    progress: bool


def fit(
    network: Network, batches: Batches, config: TrainConfig, objective: Objective, unit: Unit, work: Work, watch: Watch,
    rates: Mapping[str, float] | None = None,
) -> Result:
    """Train `network` in place, from the last checkpoint in the work folder on, and leave the best weights in it.

    `rates`: learning rates of parts of the network, as factors of `config.learning_rate`.
    """
    per_epoch = math.ceil(batches.train_length / config.accumulate)
    total_steps = min(config.epochs * per_epoch, config.max_steps or sys.maxsize)
    learner = Learner(network, config, total_steps, rates or {})
    curves = Curves(config.log_steps, watch.row)
    files = Files(work.folder, work.key)
    best = BestWeights(work.folder / BEST, objective)
    callbacks: list[Callback] = [curves, best, AfterValidation(watch.network), *_limits(config, objective, total_steps)]
    if watch.progress and rank() == 0:
        callbacks.append(Progress(total_steps, unit))
    clock = Clock()
    callbacks += [clock, Checkpoints(files, work.saving.steps, work.saving.minutes)]
    meeting = Meeting(config.devices * config.num_nodes, work.wait_minutes)
    callbacks += [meeting, Termination()]
    trainer = _trainer(config, callbacks, files, work.wait_minutes)
    checkpoint = files.newest()
    if rank() == 0:
        restore_best(checkpoint, best.path)
        if checkpoint is not None:
            print(f"train: going on from {checkpoint}", flush=True)
    try:
        with warnings.catch_warnings(), explained(config, work.wait_minutes), within_memory("train", lambda: (
                f"too little memory for a batch of {batches.describe()}. Lower train.batch_size or "
                "model.core.hidden_size, or cut the sequences.")):
            warnings.filterwarnings("ignore", module="lightning")
            meeting.start()
            trainer.fit(learner, batches, ckpt_path=checkpoint)
            trainer.strategy.barrier()
    except UserError as error:
        if best.step:
            text = f"{error.text} The best weights so far (step {best.step}) are in {best.path}."
            raise UserError(error.code, error.where, text) from None
        raise
    finally:
        meeting.over()
        # settings of the whole process must not change what it computes afterwards
        torch.set_flush_denormal(False)
        torch.use_deterministic_algorithms(False)
        torch.utils.deterministic.fill_uninitialized_memory = True    # type: ignore[attr-defined]
    if trainer.global_step == 0:
        raise UserError("out-of-range", "train.max_minutes", "over before the first step. Raise it.")
    if best.step == 0:
        raise UserError("diverged", "train.learning_rate", "no validation was finite. Lower it.")
    if trainer.is_global_zero:      # other ranks write no outputs, and may run on machines without this file
        read_weights(best.path, network)
    return Result(best.row, best.step, trainer.global_step, curves.targets, clock.seconds(), curves.rows,
                  trainer.is_global_zero)


def _limits(config: TrainConfig, objective: Objective, total_steps: int) -> list[Callback]:
    callbacks: list[Callback] = [StepLimit(total_steps)]
    if config.max_minutes is not None:
        callbacks.append(Timer(timedelta(minutes=config.max_minutes), verbose=False))
    if config.patience is not None or config.stop_below is not None:
        patience = sys.maxsize if config.patience is None else config.patience
        callbacks.append(
            EarlyStopping(f"val/{objective.name}", patience=patience, stopping_threshold=config.stop_below,
                          mode="max" if objective.higher_is_better else "min", check_finite=False,
                          check_on_train_epoch_end=False, verbose=False)
        )
    return callbacks


def _trainer(config: TrainConfig, callbacks: list[Callback], files: Files, wait_minutes: float) -> Trainer:
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    # this logger alone reports which process has died
    logging.getLogger("lightning.fabric.strategies.launchers.subprocess_script").setLevel(logging.INFO)
    check_devices(config)
    trainer = Trainer(
        accelerator=config.accelerator,
        devices=config.devices,
        num_nodes=config.num_nodes,
        strategy=make_strategy(config, wait_minutes),
        precision=config.precision,
        max_epochs=config.epochs,
        accumulate_grad_batches=config.accumulate,
        val_check_interval=config.validate_steps,
        check_val_every_n_epoch=None if config.validate_steps else 1,
        callbacks=callbacks,
        plugins=[files, cluster_environment()],
        deterministic=True,
        use_distributed_sampler=False,      # lanes are dealt by the layout
        num_sanity_val_steps=0,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    # read when cuBLAS starts: PyTorch accepts two values as deterministic; cuDNN's RNNs need this one, and Lightning
    # has just set the other
    os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":16:8"
    # deterministic mode fills all memory that it allocates, in case it is read uninitialised: that is a tenth of a
    # small network's step
    torch.utils.deterministic.fill_uninitialized_memory = False    # type: ignore[attr-defined]
    return trainer
