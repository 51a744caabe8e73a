"""A component of a mixture, then a number of each of its normal distributions."""

from typing import Any

import numpy as np
from scipy.special import ndtri

from unroll.config.heads.mixture import Settings
from unroll.config.loss import DEVIATION_SHIFT, LEAST_DEVIATION
from unroll.generation.draw import Drawn, Lanes, Next
from unroll.generation.engine import Ids
from unroll.generation.number_draw import NumberDraw
from unroll.generation.rules import Logits, draw, temperature


class Draw(NumberDraw):
    """The temperature divides the logits of the components, and multiplies how far a number is from its mean."""

    example = f"""logits, rest = np.split(outputs.astype(float), [field["components"]])
mean, spread = rest.reshape(2, field["components"], -1)
chosen = np.argmax(logits + TEMPERATURE * draw.gumbel(size=len(logits)))
deviation = np.logaddexp(0, spread[chosen] + {DEVIATION_SHIFT}) + {LEAST_DEVIATION}
value = mean[chosen] + TEMPERATURE * deviation * draw.normal(size=len(deviation))
return value, (value * field["deviation"] + field["mean"]).tolist()
"""

    @classmethod
    def about(cls, drawn: Drawn) -> dict[str, Any]:
        assert isinstance(drawn.head, Settings)
        return super().about(drawn) | {"components": drawn.head.components}

    def __init__(self, drawn: Drawn, lanes: Lanes) -> None:
        assert isinstance(drawn.head, Settings)
        super().__init__(drawn, lanes, 1 + drawn.field.size)
        self._count = drawn.head.components

    def __call__(self, lanes: Ids, outputs: Logits) -> Next:
        logits, rest = np.split(outputs.astype(np.float64), [self._count], axis=1)
        mean, spread = np.moveaxis(rest.reshape(len(rest), 2, self._count, self.size), 1, 0)     # (n, K, F) each
        if self.greedy:
            return Next(self.checked(mean[np.arange(len(mean)), logits.argmax(axis=1)]))
        uniform = self.uniform(lanes)
        chosen = np.arange(len(mean)), draw(temperature(logits, self.temperature), uniform[:, 0])
        deviation = np.logaddexp(0, spread[chosen] + DEVIATION_SHIFT) + LEAST_DEVIATION     # as the head has it
        far = ndtri(uniform[:, 1:].clip(2.0**-53))                          # 0 has no quantile
        return Next(self.checked(mean[chosen] + self.temperature * deviation * far))
