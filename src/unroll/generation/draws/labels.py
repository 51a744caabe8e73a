"""Labels, each drawn on its own (Boulanger-Lewandowski et al., 2012)."""

from unroll.generation.draw import Next, NumberDraw
from unroll.generation.engine import Ids
from unroll.generation.music import probabilities
from unroll.generation.rules import Logits


class Draw(NumberDraw):
    def __call__(self, lanes: Ids, outputs: Logits) -> Next:
        uniform = self.uniform(lanes)
        on = outputs > 0 if self.greedy else uniform < probabilities(outputs, self.temperature)
        return Next(self.scaler.encode(on.astype(float)))
