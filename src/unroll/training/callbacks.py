"""Callbacks around the steps: curves, best weights, limits, progress."""

import math
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from tqdm import tqdm

from unroll.base.files import replacing
from unroll.config.objective import Objective, column
from unroll.models.folder import write_weights
from unroll.models.network import Network
from unroll.training.batches import Step
from unroll.training.learner import Learner, gather

Row = dict[str, float]


@dataclass(frozen=True)
class Unit:
    """What a loss is the mean of, and how it converts to bits per character where that is symbols of a text."""

    counted: str            # symbols, steps, sequences, windows; targets, where they differ
    bits: float | None      # bits per character in one nat per symbol
    loss: str = "loss"      # the column of the curves that has the nats per symbol

    def text(self, loss: float) -> str:
        return "" if self.bits is None or self.loss != "loss" else f", {loss * self.bits:.3f} bits/character"


LINE_SECONDS = 30       # between lines of progress where there is no terminal


class Curves(Callback):
    """Rows of the training and validation curves; `report` is called with each new row."""

    def __init__(self, every: int, report: Callable[[str, Row], None]) -> None:
        self.rows: dict[str, list[Row]] = {"train": [], "validation": []}
        self.targets = 0.0
        self._every, self._report = every, report
        self._reset()

    def _reset(self) -> None:
        self._totals: Any = 0.0                     # by target
        self._counts = Counter[str]()
        self._steps = self._clipped = 0

    def on_save_checkpoint(self, trainer: Trainer, learner: LightningModule, checkpoint: dict[str, Any]) -> None:
        names = ("rows", "targets", "_counts", "_steps", "_clipped")
        totals = gather(trainer, torch.as_tensor(self._totals, device=learner.device))
        checkpoint["curves"] = {name: getattr(self, name) for name in names} | {"totals": totals}

    def on_load_checkpoint(self, trainer: Trainer, learner: LightningModule, checkpoint: dict[str, Any]) -> None:
        """Report every row again: the tracker may have lost what it was sent before the process was killed."""
        kept = dict(checkpoint["curves"])
        totals, first = kept.pop("totals"), trainer.is_global_zero
        same = len(totals) == trainer.world_size
        self._totals = (totals[trainer.global_rank] if same else totals.sum(dim=0) * first).to(learner.device)
        for name, value in kept.items():
            setattr(self, name, value)
        for curve, rows in self.rows.items():
            for row in rows:
                self._report(curve, row)

    def on_train_batch_end(
        self, trainer: Trainer, learner: LightningModule, outputs: Any, batch: Step, batch_idx: int
    ) -> None:
        assert isinstance(learner, Learner)
        # stays on the device until a row is due
        self._totals = self._totals + outputs["totals"]
        self._counts.update(batch.counts)
        self.targets += batch.valid
        if (batch_idx + 1) % learner.config.accumulate and not trainer.is_last_batch:
            return
        self._steps += 1
        self._clipped += learner.clipped
        if trainer.global_step % self._every:
            return
        totals = trainer.strategy.reduce(torch.as_tensor(self._totals, dtype=torch.float64), reduce_op="sum")
        assert isinstance(totals, torch.Tensor)
        # a target may have no known value in these steps
        losses = {name: total / count if count else math.nan
                  for (name, count), total in zip(self._counts.items(), totals.tolist(), strict=True)}
        self._add(
            "train",
            {
                "step": trainer.global_step,
                "loss": learner.mean_loss({name: loss for name, loss in losses.items() if not math.isnan(loss)}),
                **({} if len(losses) == 1 else {column(name, "loss", losses): loss for name, loss in losses.items()}),
                "learning_rate": learner.learning_rate,
                "gradient_norm": learner.gradient_norm,
                "clipped": self._clipped / self._steps,
            },
        )
        self._reset()

    def on_validation_end(self, trainer: Trainer, learner: LightningModule) -> None:
        self._add("validation", {"step": trainer.global_step, **validated(trainer)})

    def _add(self, curve: str, row: Row) -> None:
        self.rows[curve].append(row)
        self._report(curve, row)


def validated(trainer: Trainer) -> Row:
    """The loss of the last validation, and its other figures."""
    found = {name.removeprefix("val/"): float(value) for name, value in trainer.callback_metrics.items()
             if name.startswith("val/")}
    return {"loss": found.pop("loss"), **found}


class BestWeights(Callback):
    """Keeps the weights that validate best on disk, where they are left when the training fails."""

    def __init__(self, path: Path, objective: Objective) -> None:
        self.path, self._objective = path, objective
        self.row: Row = {}
        self.step = 0

    def state_dict(self) -> dict[str, Any]:
        return {"row": self.row, "step": self.step}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.row, self.step = state_dict["row"], state_dict["step"]

    def on_validation_end(self, trainer: Trainer, learner: LightningModule) -> None:
        assert isinstance(learner, Learner)
        row, name = validated(trainer), self._objective.name
        if math.isfinite(row[name]) and (not self.row or self._objective.better(row[name], self.row[name])):
            self.row, self.step = row, trainer.global_step
            if trainer.is_global_zero:
                with replacing(self.path) as temporary:
                    write_weights(temporary, learner.network)


class Clock(Callback):
    """Seconds of training, over all parts of one that was interrupted and resumed."""

    def __init__(self) -> None:
        self._before, self._started = 0.0, time.monotonic()

    def seconds(self) -> float:
        return self._before + time.monotonic() - self._started

    def state_dict(self) -> dict[str, Any]:
        return {"seconds": self.seconds()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._before, self._started = state_dict["seconds"], time.monotonic()


class StepLimit(Callback):
    """Ends after `steps` optimiser steps and validates there, in mid-epoch too (Trainer's max_steps does not)."""

    def __init__(self, steps: int) -> None:
        self._steps = steps

    def on_train_batch_end(self, trainer: Trainer, *_: Any) -> None:
        if trainer.global_step >= self._steps:
            trainer.should_stop = True


class AfterValidation(Callback):
    """Hands the network, in evaluation mode, to a function after each validation; on the first rank only."""

    def __init__(self, act: Callable[[Network, int], None]) -> None:
        self._act = act

    def on_validation_end(self, trainer: Trainer, learner: LightningModule) -> None:
        assert isinstance(learner, Learner)
        if trainer.is_global_zero:
            self._act(learner.network, trainer.global_step)


class Progress(Callback):
    """Loss, speed and time left: a bar on a terminal, a line now and then elsewhere."""

    def __init__(self, total_steps: int, unit: Unit) -> None:
        self._total, self._unit = total_steps, unit
        self._targets, self._first = 0.0, 0
        self._started = self._printed = 0.0
        self._bar: tqdm[Any] | None = None

    def on_train_start(self, trainer: Trainer, learner: LightningModule) -> None:
        self._started = self._printed = time.monotonic()
        self._first = trainer.global_step
        if sys.stderr.isatty():
            self._bar = tqdm(total=self._total, initial=self._first, unit="step", dynamic_ncols=True, leave=True)

    def on_train_batch_end(
        self, trainer: Trainer, learner: LightningModule, outputs: Any, batch: Step, batch_idx: int
    ) -> None:
        self._targets += batch.valid
        now, step = time.monotonic(), trainer.global_step
        speed = f"{self._targets / max(1e-9, now - self._started):,.0f} {self._unit.counted}/s"
        # reading the loss waits for the device: only when it is going to be shown
        if self._bar is not None and now - self._printed > 0.5:
            self._printed = now
            self._bar.set_postfix_str(f"{self._loss(learner, outputs, batch)}, {speed}", refresh=False)
            self._bar.update(step - self._bar.n)
        elif self._bar is None and now - self._printed > LINE_SECONDS:
            self._printed = now
            left = (now - self._started) / max(1, step - self._first) * (self._total - step)
            print(
                f"train: step {step} of {self._total}, {self._loss(learner, outputs, batch)}, {speed}, "
                f"{left / 60:.1f} min left",
                file=sys.stderr,
                flush=True,
            )

    def on_validation_end(self, trainer: Trainer, learner: LightningModule) -> None:
        loss = float(trainer.callback_metrics["val/loss"])
        others = {name: value for name, value in validated(trainer).items() if name != "loss"}
        line = (f"train: step {trainer.global_step}, validation loss {loss:.4f}{self._unit.text(loss)}"
                + "".join(f", {name} {value:.4f}" for name, value in others.items()))
        tqdm.write(line, file=sys.stderr)

    def on_train_end(self, trainer: Trainer, learner: LightningModule) -> None:
        if self._bar is not None:
            self._bar.update(trainer.global_step - self._bar.n)
            self._bar.close()

    def _loss(self, learner: LightningModule, outputs: Any, batch: Step) -> str:
        assert isinstance(learner, Learner)
        own = len(batch.lengths) / batch.lanes[1]       # this rank's share of the lanes
        losses = {name: float(total) / (count or 1) / own
                  for (name, count), total in zip(batch.counts.items(), outputs["totals"], strict=True)}
        loss = learner.mean_loss(losses)
        return f"loss {loss:.3f}{self._unit.text(loss)}"
