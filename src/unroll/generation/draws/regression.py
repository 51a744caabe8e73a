"""Real numbers: drawn where the loss is that of a normal distribution, and elsewhere as they are predicted."""

from typing import Any

import numpy as np
from scipy.special import ndtri

from unroll.base.errors import UserError
from unroll.config.heads.regression import Settings
from unroll.config.loss import DEVIATION_SHIFT, LEAST_DEVIATION
from unroll.generation.draw import Drawn, Lanes, Next
from unroll.generation.engine import Ids
from unroll.generation.number_draw import NumberDraw
from unroll.generation.rules import Logits


class Draw(NumberDraw):
    example = f"""value = outputs.astype(float)
if field["normal"]:
    mean, spread = outputs.astype(float).reshape(-1, 2).T
    deviation = np.logaddexp(0, spread + {DEVIATION_SHIFT}) + {LEAST_DEVIATION}
    value = mean + TEMPERATURE * deviation * draw.normal(size=len(mean))
return value, (value * field["deviation"] + field["mean"]).tolist()
"""

    @classmethod
    def about(cls, drawn: Drawn) -> dict[str, Any]:
        assert isinstance(drawn.head, Settings)
        return super().about(drawn) | {"normal": drawn.head.loss.normal}

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
