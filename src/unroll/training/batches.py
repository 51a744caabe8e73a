"""Batches for Lightning: any epoch, any position, any rank, without a random state to carry."""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from lightning.pytorch import LightningDataModule
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from unroll.config.data import DataConfig
from unroll.config.train import TrainConfig
from unroll.data.batches import ItemLayout, Layout, StreamLayout
from unroll.data.sources import Split
from unroll.data.store import Prepared
from unroll.errors import UserError

VALIDATION_STEPS = 256      # of a lane at a time: nothing is back-propagated, so only memory limits it


class Step(NamedTuple):
    """One rank's part of a batch."""

    inputs: dict[str, Tensor]       # (T, B)
    targets: dict[str, Tensor]      # (T, B)
    fresh: bool
    scale: float        # 1 / targets that count in all ranks' parts of all batches of this optimiser step
    valid: int          # … of this batch
    lanes: tuple[int, int]


class _Batches(Dataset[Step]):
    def __init__(self, layout: Layout, field: str, accumulate: int, rank: int, ranks: int) -> None:
        self._layout, self._field, self._accumulate = layout, field, accumulate
        self._rank, self._ranks = rank, ranks

    def __len__(self) -> int:
        return len(self._layout)

    def __getitem__(self, place: tuple[int, int]) -> Step:
        epoch, index = place
        batch = self._layout.batch(index, epoch, self._rank, self._ranks)
        first = index - index % self._accumulate
        together = range(first, min(first + self._accumulate, len(self._layout)))
        return Step(
            {self._field: torch.from_numpy(batch.inputs)},
            {self._field: torch.from_numpy(batch.targets)},
            batch.fresh,
            1 / max(1, sum(self._layout.count_valid(each, epoch) for each in together)),
            batch.valid,
            batch.lanes,
        )


class _InOrder(Sampler[tuple[int, int]]):
    """(epoch, index) of every batch; Lightning tells the epoch."""

    def __init__(self, length: int) -> None:
        self._length, self._epoch = length, 0

    def set_epoch(self, epoch: int) -> None:
        self._epoch = epoch

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return ((self._epoch, index) for index in range(self._length))


class Batches(LightningDataModule):
    """Training and validation batches of a prepared folder; raises `UserError` when it is too short for them."""

    def __init__(self, prepared: Prepared, data: DataConfig, config: TrainConfig, workers: int) -> None:
        super().__init__()
        self._prepared, self._config, self._workers = prepared, config, workers
        (self._field,) = data.inputs
        self._begin = prepared.tokenizer(self._field).begin
        length = prepared.spec["splits"]["train"]["tokens"]
        if prepared.spec["unit"] == "stream" and length < 2 * config.batch_size:
            raise UserError(
                f"train.batch_size: {config.batch_size} lanes need at least {2 * config.batch_size} symbols, the "
                f"training split has {length}. Give more text or fewer lanes."
            )
        self.train_length = len(self.layout("train", config.bptt))

    def layout(self, split: Split, steps: int) -> Layout:
        tokens, offsets = self._prepared.tokens(self._field, split), self._prepared.offsets(self._field, split)
        if offsets is None:
            return StreamLayout(tokens, self._begin, self._config.batch_size, steps)
        return ItemLayout(tokens, offsets, self._begin, self._config.batch_size, self._config.seed, longest=steps)

    def train_dataloader(self) -> DataLoader[Step]:
        return self._loader(self.layout("train", self._config.bptt), self._config.accumulate)

    def val_dataloader(self) -> DataLoader[Step]:
        items = self._prepared.spec["unit"] == "line"
        return self._loader(self.layout("validation", self._config.bptt if items else VALIDATION_STEPS), 1)

    def _loader(self, layout: Layout, accumulate: int) -> DataLoader[Step]:
        assert self.trainer is not None
        dataset = _Batches(layout, self._field, accumulate, self.trainer.global_rank, self.trainer.world_size)
        return DataLoader(
            dataset,
            batch_size=None,    # a batch is made whole, not collected
            sampler=_InOrder(len(dataset)),
            num_workers=self._workers,
            persistent_workers=self._workers > 0,
        )
