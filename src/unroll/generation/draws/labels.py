"""Labels, each drawn on its own (Boulanger-Lewandowski et al., 2012)."""

from unroll.generation.draw import Next
from unroll.generation.engine import Ids
from unroll.generation.music import probabilities
from unroll.generation.number_draw import NumberDraw
from unroll.generation.rules import Logits


class Draw(NumberDraw):
    # a logit plus logistic noise is above 0 with the logit's probability
    example = """on = outputs + TEMPERATURE * draw.logistic(size=len(outputs)) > 0
return (on - np.array(field["mean"])) / field["deviation"], on.astype(int).tolist()
"""

    def __call__(self, lanes: Ids, outputs: Logits) -> Next:
        uniform = self.uniform(lanes)
        on = outputs > 0 if self.greedy else uniform < probabilities(outputs, self.temperature)
        return Next(self.scaler.encode(on.astype(float)))
