"""What a loss is: the cost of predictions, summed over the targets that count."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from unroll.base.errors import UserError
from unroll.config.loss import LossSettings
from unroll.config.losses import LOSSES
from unroll.data.fields import IGNORED


class Frequencies(NamedTuple):
    """The classes of a target, and how often each occurs in the training split, at least once."""

    names: tuple[str, ...]
    counts: tuple[int, ...]


class BaseLoss(ABC):
    """A kind of loss of classes or labels has a class `Loss` derived from this one."""

    scale = 1.0     # of logits: a linear layer's outputs times this are what the loss and a softmax are of

    def __init__(self, settings: LossSettings) -> None:
        self.settings = settings

    @abstractmethod
    def __call__(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Summed over the targets that count.

        Classes: logits (…, classes), or (…, 1), that of the second of two; target (…), `IGNORED` where none counts.
        Labels: logits (…, labels); target (…, labels) of 0 and 1, NaN where none counts.
        Real numbers: (…, parameters); target (…), NaN where none counts.
        """

    def in_epoch(self, epoch: int, outputs: Tensor, target: Tensor) -> Tensor:
        """What is minimised in an epoch of the training, from 0 on, where that is not the same throughout."""
        return self(outputs, target)


class BaseClassLoss(BaseLoss):
    """A kind of loss of classes that heeds how often each occurs has a class `Loss` derived from this one.

    `counts` (classes,) are of the training split, in double precision.
    """

    def __init__(self, settings: LossSettings, frequencies: Frequencies) -> None:
        super().__init__(settings)
        self.counts = torch.tensor(frequencies.counts, dtype=torch.float64)


class BaseRealLoss(BaseLoss):
    """A kind of loss of real numbers has a class `Loss` derived from this one.

    The network gives `parameters` for each number, from which quantiles are read at `levels`, rising from 0 to 1.
    """

    parameters = 1

    def __init__(self, settings: LossSettings, levels: Sequence[float]) -> None:
        super().__init__(settings)
        self.levels = torch.tensor(levels)

    def predict(self, outputs: Tensor) -> Tensor:
        """(…, parameters) → (…, levels), rising; a loss without intervals predicts one value at every level."""
        return outputs.expand(*outputs.shape[:-1], len(self.levels))


class BaseCountLoss(BaseRealLoss):
    """A kind of loss of counts has a class `Loss` derived from this one.

    Targets and quantiles are counts divided by `size`, (D,) of each number, in double precision.
    """

    def __init__(self, settings: LossSettings, levels: Sequence[float], scale: Sequence[float]) -> None:
        super().__init__(settings, levels)
        self.size = torch.tensor(scale, dtype=torch.float64)


def full(values: Tensor) -> Tensor:
    """At least single precision, also where a network computes in half: losses are sums of many terms."""
    return values.float() if values.dtype in (torch.float16, torch.bfloat16) else values


def known_classes(outputs: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Logits (n, classes), at least in single precision, and classes (n,) of the targets that count."""
    known = target != IGNORED
    logits = full(outputs)[known]
    if logits.shape[-1] == 1:       # of the second of two classes; the first one's is 0
        logits = torch.cat([torch.zeros_like(logits), logits], dim=-1)
    return logits, target[known]


def make_loss(settings: LossSettings, frequencies: Frequencies | None = None) -> BaseLoss:
    """A loss of classes or labels; raises `UserError`, where settings do not fit the classes."""
    code = LOSSES.code_of(settings.kind, "Loss")
    if not issubclass(code, BaseClassLoss):
        loss: BaseLoss = code(settings)
        return loss
    if frequencies is None:
        raise UserError("stale", "loss", f"{settings.kind} needs to know how often each class occurs, which this "
                        "prepared data does not say. Make it again with `unroll prepare`.")
    weighing: BaseClassLoss = code(settings, frequencies)
    return weighing


def make_real_loss(settings: LossSettings, levels: Sequence[float], scale: Sequence[float] = (1.0,)) -> BaseRealLoss:
    """`scale` is what counts were divided by."""
    code = LOSSES.code_of(settings.kind, "Loss")
    if issubclass(code, BaseCountLoss):
        counting: BaseCountLoss = code(settings, levels, scale)
        return counting
    loss: BaseRealLoss = code(settings, levels)
    return loss
