"""Real numbers: drawn where the loss is that of a normal distribution, and elsewhere as they are predicted."""

import numpy as np
from scipy.special import ndtri

from unroll.base.errors import UserError
from unroll.config.heads.regression import Settings
from unroll.config.loss import DEVIATION_SHIFT, LEAST_DEVIATION
from unroll.generation.draw import Drawn, Lanes, Next, NumberDraw
from unroll.generation.engine import Ids
from unroll.generation.rules import Logits


class Draw(NumberDraw):
    def __init__(self, drawn: Drawn, lanes: Lanes) -> None:
        super().__init__(drawn, lanes)
        assert isinstance(drawn.head, Settings)
        self._loss = drawn.head.loss

    def __call__(self, lanes: Ids, outputs: Logits) -> Next:
        parameters = outputs.reshape(len(outputs), self.size, -1).astype(np.float64)
        if self._loss.normal:
            uniform = self.uniform(lanes).clip(2.0**-53)        # 0 has no quantile
            mean, spread = parameters[..., 0], parameters[..., 1]
            deviation = np.logaddexp(0, spread + DEVIATION_SHIFT) + LEAST_DEVIATION     # as the loss has it
            drawn = mean if self.greedy else mean + self.temperature * deviation * ndtri(uniform)
        elif parameters.shape[2] == 1:
            drawn = parameters[..., 0]
        else:
            raise UserError("unsupported", "sample", f"the loss {self._loss.kind} predicts {parameters.shape[2]} "
                            "numbers for each, from which no value can be drawn. Train with another loss.")
        return Next(self.checked(drawn))
