"""Logits of classes; two classes have one, that of the second, which is the same with less."""

import torch
from torch import Tensor

from unroll.config.heads.classification import Settings
from unroll.models.head import LinearHead, Sizes
from unroll.models.loss import make_loss


class Head(LinearHead):
    def __init__(self, settings: Settings, sizes: Sizes) -> None:
        super().__init__(settings, sizes, sizes.size if sizes.size > 2 else 1)
        self._criterion = make_loss(settings.loss)

    def loss(self, outputs: Tensor, target: Tensor) -> Tensor:
        return self._criterion(outputs, target)

    def predict(self, outputs: Tensor) -> Tensor:
        """(…, classes) probabilities."""
        if outputs.shape[-1] > 1:
            return outputs.softmax(dim=-1)
        return torch.cat([(-outputs).sigmoid(), outputs.sigmoid()], dim=-1)
