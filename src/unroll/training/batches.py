"""Batches for Lightning: any epoch, any position, any rank, without a random state to carry."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from lightning.pytorch import LightningDataModule
from lightning.pytorch.accelerators import CUDAAccelerator
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from unroll.base.errors import UserError
from unroll.config.train import TrainConfig
from unroll.data.balanced import BalancedLayout
from unroll.data.batches import ItemLayout, Layout, StreamLayout
from unroll.data.fields import Sequences
from unroll.data.source import Split
from unroll.data.store import Prepared
from unroll.data.windows import WindowLayout, halves

VALIDATION_STEPS = 256      # per lane and batch; nothing is back-propagated, so only memory limits it


class Step(NamedTuple):
    """One rank's part of a batch."""

    inputs: dict[str, Tensor]       # (T, B) or (T, B, F); (B, F) of whole sequences
    targets: dict[str, Tensor]      # (T, B) or (T, B, D); (B,) or (B, ·) of whole sequences
    lengths: Tensor                 # (B,) steps that are not padding
    fresh: bool
    scales: dict[str, float]    # 1 / known targets in all batches of this optimiser step, over all ranks
    counts: dict[str, float]    # known targets of this batch, over all ranks
    lanes: tuple[int, int]

    @property
    def valid(self) -> float:
        """Known targets of this batch, over all ranks."""
        return sum(self.counts.values())


class _Batches(Dataset[Step]):
    def __init__(self, layout: Layout, accumulate: int, rank: int, ranks: int) -> None:
        self._layout, self._accumulate, self._rank, self._ranks = layout, accumulate, rank, ranks

    def __len__(self) -> int:
        return len(self._layout)

    def __getitem__(self, place: tuple[int, int]) -> Step:
        epoch, index = place
        batch = self._layout.batch(index, epoch, self._rank, self._ranks)
        first = index - index % self._accumulate
        together = [self._layout.counts(number, epoch)
                    for number in range(first, min(first + self._accumulate, len(self._layout)))]
        return Step(
            {name: torch.from_numpy(values) for name, values in batch.inputs.items()},
            {name: torch.from_numpy(values) for name, values in batch.targets.items()},
            torch.from_numpy(batch.lengths),
            batch.fresh,
            {name: 1 / (sum(counts[name] for counts in together) or 1) for name in batch.counts},
            batch.counts,
            batch.lanes,
        )


class _InOrder(Sampler[tuple[int, int]]):
    """(epoch, index) of every batch, from `place` on; Lightning sets the epoch."""

    def __init__(self, length: int, place: tuple[int, int] = (0, 0)) -> None:
        self._length, self._place, self._epoch = length, place, place[0]

    def set_epoch(self, epoch: int) -> None:
        self._epoch = epoch

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[tuple[int, int]]:
        epoch, first = self._place
        return ((self._epoch, index) for index in range(first if self._epoch == epoch else 0, self._length))


class Batches(LightningDataModule):
    """Training and validation batches of a prepared folder; raises `UserError` when it is too short for them."""

    def __init__(self, prepared: Prepared, config: TrainConfig, workers: int, whole: bool,
                 calibrated: bool = False) -> None:
        """`whole`: whether the network needs all steps of a sequence at once; `calibrated`: see `calibration`."""
        super().__init__()
        self._prepared, self._config, self._workers, self._whole = prepared, config, workers, whole
        self._shape, self._calibrated = prepared.spec.layout, calibrated
        length = len(prepared.sequences("train"))
        if self._shape == "stream" and length < 2 * config.batch_size:
            raise UserError(
                "too-short", "train.batch_size", f"{config.batch_size} lanes need at least {2 * config.batch_size} "
                f"steps, the training split has {length}. Give more data or fewer lanes."
            )
        self.train_length = len(self.layout("train", config.bptt))
        self._place = (0, 0)

    def state_dict(self) -> dict[str, Any]:
        assert self.trainer is not None
        return {"place": (self.trainer.current_epoch, self.trainer.fit_loop.batch_idx)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._place = state_dict["place"]

    def layout(self, split: Split, steps: int) -> Layout:
        sequences, config = self._prepared.sequences(split), self._config
        match self._shape:
            case "stream":
                return StreamLayout(sequences, config.batch_size, steps)
            case "windows":
                assert sequences.frame is not None
                stride = slice(None, None, sequences.frame.forecast.stride if split == "train" else 1)
                if split == "validation" and self._calibrated:
                    sequences, _ = self._halves()
                return WindowLayout(sequences.only(stride), config.batch_size, config.seed)
        if split == "train" and config.balance is not None:
            if not self._whole and sequences.lengths.max(initial=0) > steps:
                raise UserError("unsupported", "train.balance", f"a sequence has {sequences.lengths.max():,} steps, "
                                "which are read in several batches, and those cannot be balanced. Raise train.bptt, "
                                "or set it to null.")
            return BalancedLayout(sequences, config.batch_size, config.seed, config.balance)
        return ItemLayout(sequences, config.batch_size, config.seed, None if self._whole else steps)

    def calibration(self) -> WindowLayout:
        """The part of the validation split that is kept from choosing the weights, in order."""
        return WindowLayout(self._halves()[1], self._config.batch_size, None)

    def _halves(self) -> tuple[Sequences, Sequences]:
        offsets = self._prepared.offsets("validation")
        assert offsets is not None
        return halves(self._prepared.sequences("validation"), offsets)

    def describe(self) -> str:
        """A batch in words, with the longest of its sequences as the source names it."""
        size, sequences = self._config.batch_size, self._prepared.sequences("train")
        if self._shape == "stream":
            return f"{size} lanes of train.bptt={self._config.bptt:,} steps"
        if sequences.frame is not None:
            return f"{size} windows of {sequences.frame.forecast.context:,} steps"
        if not self._whole:
            return f"{size} sequences, train.bptt={self._config.bptt:,} steps of each at a time"
        at = int(np.argmax(sequences.lengths))
        return (f"{min(size, len(sequences.lengths))} sequences, the longest of {sequences.lengths[at]:,} steps "
                f"(sequence {self._prepared.places('train')[at].name!r} of the source)")

    def train_dataloader(self) -> DataLoader[Step]:
        return self._loader(self.layout("train", self._config.bptt), self._config.accumulate, self._place)

    def val_dataloader(self) -> DataLoader[Step]:
        steps = VALIDATION_STEPS if self._shape == "stream" else max(self._config.bptt, VALIDATION_STEPS)
        return self._loader(self.layout("validation", steps), 1)

    def _loader(self, layout: Layout, accumulate: int, place: tuple[int, int] = (0, 0)) -> DataLoader[Step]:
        assert self.trainer is not None
        dataset = _Batches(layout, accumulate, self.trainer.global_rank, self.trainer.world_size)
        return DataLoader(
            dataset,
            batch_size=None,    # the dataset yields whole batches
            sampler=_InOrder(len(dataset), place),
            num_workers=self._workers,
            pin_memory=isinstance(self.trainer.accelerator, CUDAAccelerator),     # for asynchronous copies
            persistent_workers=self._workers > 0,
        )
