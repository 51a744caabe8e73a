"""Logits of classes; two classes have one, that of the second, which is the same with less."""

import torch
from torch import Tensor

from unroll.config.heads.classification import Settings
from unroll.data.fields import IGNORED
from unroll.models.head import LinearHead, Sizes
from unroll.models.loss import make_loss


class Head(LinearHead):
    def __init__(self, settings: Settings, sizes: Sizes) -> None:
        super().__init__(settings, sizes, sizes.size if sizes.size > 2 else 1)
        self._criterion = make_loss(settings.loss, sizes.frequencies)
        self.scale = self._criterion.scale

    def loss(self, outputs: Tensor, target: Tensor) -> Tensor:
        return self._criterion(outputs, target)

    def loss_in_epoch(self, epoch: int, outputs: Tensor, target: Tensor) -> Tensor:
        return self._criterion.in_epoch(epoch, outputs, target)

    def predict(self, outputs: Tensor) -> Tensor:
        """(…, classes) probabilities."""
        if outputs.shape[-1] > 1:
            return outputs.softmax(dim=-1)
        return torch.cat([(-outputs).sigmoid(), outputs.sigmoid()], dim=-1)

    def statistics(self, outputs: Tensor, target: Tensor) -> Tensor:
        """For each class how often it was named rightly, how often it was named, and how often it was true."""
        known = target != IGNORED
        named, true = self.predict(outputs[known]).argmax(dim=-1), target[known]
        classes = max(2, outputs.shape[-1])
        return torch.cat([some.bincount(minlength=classes) for some in (true[named == true], named, true)])

    def measure(self, statistics: Tensor) -> dict[str, float]:
        """Balanced accuracy is the mean recall of the classes that were true, F1 that of those named or true."""
        right, named, true = statistics.double().chunk(3)
        seen = (named + true).clamp(min=1)
        recall = (right / true.clamp(min=1)).sum() / (true > 0).sum().clamp(min=1)
        return {"accuracy": float(right.sum() / true.sum().clamp(min=1)), "balanced_accuracy": float(recall),
                "macro_f1": float((2 * right / seen).sum() / (named + true > 0).sum().clamp(min=1))}
