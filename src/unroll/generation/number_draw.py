"""Draws of real numbers."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.base.errors import UserError
from unroll.data.encoders import Scaler, scaler_of
from unroll.generation.draw import BaseDraw, Drawn, Lanes
from unroll.generation.engine import Ids
from unroll.generation.loop import BLOCK
from unroll.generation.rules import lane_generator

LARGEST = 1e30      # scaled, of what can still be read


class NumberDraw(BaseDraw):
    """`size` real numbers a step, drawn from as many uniform ones, or `count`."""

    def __init__(self, drawn: Drawn, lanes: Lanes, count: int | None = None) -> None:
        self.size, self.temperature, self.greedy = drawn.field.size, lanes.sampling.temperature, lanes.sampling.greedy
        self.scaler: Scaler = scaler_of(drawn.field)
        self._generators = [lane_generator(*seeds) for seeds in lanes.seeds]
        self._uniform = np.zeros((BLOCK, len(lanes.seeds), count or self.size))
        self._steps = 0

    @classmethod
    def about(cls, drawn: Drawn) -> dict[str, Any]:
        scale = scaler_of(drawn.field).state()
        return {"mean": scale.mean, "deviation": scale.deviation}

    def uniform(self, lanes: Ids) -> NDArray[np.float64]:
        """(n, count) numbers in [0, 1), each row from its lane's own generator; one call for each step."""
        at = self._steps % BLOCK
        self._steps += 1
        for lane in lanes if at == 0 else ():
            self._uniform[:, lane] = self._generators[lane].random(self._uniform[:, lane].shape)
        return np.asarray(self._uniform[at, lanes])

    def checked(self, drawn: NDArray[np.float64]) -> NDArray[np.float32]:
        """Values that a network can read; raises `UserError` on a sequence without bounds."""
        if not (np.abs(drawn) < LARGEST).all():
            raise UserError("bad-number", "sample", "a sequence has gone so far from the training data that nothing "
                            "follows. Draw fewer steps, or at a lower temperature.")
        return drawn.astype(np.float32)
