"""Dropout whose masks follow from (seed, step, site, lane) and nothing else.

One mask serves all time steps of a batch (Gal & Ghahramani, 2016; "locked" in Merity et al., 2018). No random state
is carried, so a resumed run and any number of ranks draw the masks that one uninterrupted process draws.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

Dropout = Callable[[Tensor, float], Tensor]


class Masks:
    """The masks of one training step; `lanes` is (first lane of this rank, lanes of all ranks)."""

    def __init__(self, seed: int, step: int, lanes: tuple[int, int]) -> None:
        self._key, self._lanes, self._site = (seed % 2**64, step), lanes, 0

    def __call__(self, x: Tensor, probability: float) -> Tensor:
        """Drop features of x (T, B, F), the same at every step; each call is a site of its own."""
        self._site += 1
        if probability == 0:
            return x
        first, total = self._lanes
        seed = np.random.SeedSequence([*self._key, self._site]).generate_state(1, np.uint64)[0]
        draw = torch.Generator().manual_seed(int(seed) % 2**63)
        kept = torch.rand(total, x.shape[-1], generator=draw) >= probability               # (lanes, F)
        mask = kept[first : first + x.shape[1]].to(x.dtype) / (1 - probability)
        # drawn on the CPU, so that every device has the same; a copy from pinned memory holds nothing up
        return x * (mask.pin_memory().to(x.device, non_blocking=True) if x.is_cuda else mask)


def no_dropout(x: Tensor, probability: float) -> Tensor:
    return x
