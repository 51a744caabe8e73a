"""What a loss is: the cost of predictions, summed over the targets that count."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor

from unroll.config.loss import LossSettings
from unroll.config.losses import LOSSES


class BaseLoss(ABC):
    """A kind of loss of classes or labels has a class `Loss` derived from this one."""

    def __init__(self, settings: LossSettings) -> None:
        self.settings = settings

    @abstractmethod
    def __call__(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Summed over the targets that count.

        Classes: logits (…, classes), or (…, 1), that of the second of two; target (…), `IGNORED` where none counts.
        Labels: logits (…, labels); target (…, labels) of 0 and 1, NaN where none counts.
        Real numbers: (…, parameters); target (…), NaN where none counts.
        """


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


def full(values: Tensor) -> Tensor:
    """At least single precision, also where a network computes in half: losses are sums of many terms."""
    return values.float() if values.dtype in (torch.float16, torch.bfloat16) else values


def make_loss(settings: LossSettings) -> BaseLoss:
    loss: BaseLoss = LOSSES.code_of(settings.kind, "Loss")(settings)
    return loss


def make_real_loss(settings: LossSettings, levels: Sequence[float]) -> BaseRealLoss:
    loss: BaseRealLoss = LOSSES.code_of(settings.kind, "Loss")(settings, levels)
    return loss
