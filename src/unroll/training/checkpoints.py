"""Checkpoints of a training in its work folder: written whole, verified before use, the last two kept.

A checkpoint is a folder `step-<optimiser steps>`: `state`, a SHA-256 and Lightning's checkpoint, and the best weights
so far, so that weights found after it are not taken for those of a training that resumes from it.
"""

import hashlib
import io
import os
import pickle
import shutil
import time
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins import CheckpointIO
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import Timer

from unroll.base.errors import UserError
from unroll.base.files import replacing, sha256
from unroll.base.processes import rank
from unroll.training.batches import Step
from unroll.training.learner import Learner

FORMAT = 1
BEST = "best.safetensors"
BROADCAST_STEPS = 10        # between broadcasts of whether the first rank's clock says to save


class Files(CheckpointIO):
    """Writes and reads Lightning's checkpoints; `key` identifies the training."""

    def __init__(self, folder: Path, key: str) -> None:
        self.folder, self._key = folder, key

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Write a checkpoint whole and synced, or not at all; then remove all but the last two."""
        # Lightning has counted the batch that is about to be trained and would count it again after a restart; were all
        # four numbers equal, it would take the validation after the last batch, or the epoch, for not yet done
        total = checkpoint["loops"]["fit_loop"]["epoch_loop.batch_progress"]["total"]
        total["ready"] -= 1
        total["started"] -= 1
        content = io.BytesIO()
        torch.save({"format": FORMAT, "key": self._key, "training": checkpoint}, content)
        data = content.getbuffer()
        with replacing(Path(path)) as temporary:
            temporary.mkdir()
            if (self.folder / BEST).exists():
                _link(self.folder / BEST, temporary / BEST)
            with (temporary / "state").open("wb") as file:
                file.write(_head(data, temporary))
                file.write(data)
        older = [kept for kept in self._all() if kept < Path(path)]
        for other in {*self._all()} - {Path(path), *older[-1:]}:     # a later one is damaged, or we had resumed from it
            self.remove_checkpoint(other)

    def load_checkpoint(self, path: Any, map_location: Any = None, weights_only: Any = None) -> dict[str, Any]:
        """Read plain values and tensors only; refuse a pickle that would run code."""
        state = Path(path) / "state"
        advice = f"Remove {self.folder}, and train again."
        data = state.read_bytes().partition(b"\n")[2]
        try:
            # always: a checkpoint may come from elsewhere
            content = torch.load(io.BytesIO(data), map_location or "cpu", weights_only=True)
        except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
            reason = " ".join(str(error).split())[:150]
            raise UserError("damaged", state, f"holds more than plain values and tensors ({reason}). {advice}"
                            ) from None
        if content.get("format") != FORMAT:
            raise UserError("wrong-version", state, f"written by another version of unroll. {advice}")
        if content.get("key") != self._key:
            raise UserError("stale", state, f"from a training with another configuration. {advice}")
        training: dict[str, Any] = content["training"]
        return training

    def remove_checkpoint(self, path: Any) -> None:
        shutil.rmtree(path)

    def newest(self) -> Path | None:
        """The newest checkpoint that is not damaged; prints which ones are."""
        if rank() == 0:     # it holds the folder's lock, so what is half-written there was left by a killed process
            for left in self.folder.glob(".step-*"):
                shutil.rmtree(left)
        for path in reversed(self._all()):
            if (wrong := _damage(path)) is None:
                return path
            if rank() == 0:
                print(f"train: {path.name} is damaged ({wrong}); going on from the one before it, if there is one")
        return None

    def _all(self) -> list[Path]:
        return sorted(self.folder.glob("step-*"))


def _damage(path: Path) -> str | None:
    """What is wrong with a checkpoint, or None."""
    try:
        head, _, data = (path / "state").read_bytes().partition(b"\n")
        return None if head + b"\n" == _head(data, path) else "its content is not what was written"
    except OSError as error:
        return " ".join(str(error).split())[:100]


def _head(data: bytes | memoryview, folder: Path) -> bytes:
    """The line before the state: SHA-256 of it, and of the best weights beside it."""
    best = sha256(folder / BEST) if (folder / BEST).exists() else "none"
    return f"{hashlib.sha256(data).hexdigest()} {best}\n".encode()


def _link(file: Path, to: Path) -> None:
    """A hard link where the file system has them, which is safe since files are replaced and never written to."""
    try:
        os.link(file, to)
    except OSError:
        shutil.copyfile(file, to)


class Checkpoints(Callback):
    """Saves every `steps` optimiser steps or `minutes`, before a step, when everything after the last one is done."""

    def __init__(self, files: Files, steps: int | None, minutes: float | None) -> None:
        self._files, self._every = files, steps
        self._seconds = None if minutes is None else 60 * minutes
        self._step, self._saved = 0, time.monotonic()

    def on_train_start(self, trainer: Trainer, learner: LightningModule) -> None:
        self._step, self._saved = trainer.global_step, time.monotonic()

    def on_train_batch_start(self, trainer: Trainer, learner: LightningModule, batch: Step, batch_idx: int) -> None:
        assert isinstance(learner, Learner)
        step = trainer.global_step
        # gradients that wait for more batches are in no checkpoint
        if batch_idx % learner.config.accumulate or step == self._step:
            return
        by_steps = self._every is not None and step - self._step >= self._every
        by_time = self._seconds is not None and time.monotonic() - self._saved >= self._seconds
        # clocks differ between ranks: the first rank's counts, broadcast at steps that all ranks agree on
        if (by_steps or trainer.world_size == 1 or step % BROADCAST_STEPS == 0) and trainer.strategy.broadcast(
            (by_steps or by_time) and not _time_is_up(trainer)
        ):
            trainer.save_checkpoint(self._files.folder / f"step-{step:09d}")
            self._step, self._saved = step, time.monotonic()


def _time_is_up(trainer: Trainer) -> bool:
    """Whether this step is the last: a training that resumed from before it would end without a validation."""
    left = [timer.time_remaining() for timer in trainer.callbacks if isinstance(timer, Timer)]  # type: ignore[attr-defined]
    return any(seconds is not None and seconds <= 0 for seconds in left)


def restore_best(checkpoint: Path | None, best: Path) -> None:
    """Restore the best weights as they were at the checkpoint; remove them where there is none."""
    found = None if checkpoint is None else checkpoint / BEST
    if found is None or not found.exists():
        best.unlink(missing_ok=True)
        return
    with replacing(best) as temporary:
        _link(found, temporary)
