"""Section `evaluate`: how the best weights are measured, and beside what."""

from typing import Annotated

from pydantic import Field, NonNegativeInt, PositiveInt

from unroll.config.strict import Seed, Strict


class EvaluateConfig(Strict):
    lanes: PositiveInt              # stretches of a stream read side by side, or sequences of a batch
    warmup: NonNegativeInt          # steps that a stretch reads before it is scored, to warm its state up
    train_tokens: PositiveInt       # about so many steps of the training split are scored beside the other splits
    ngram_order: Annotated[int, Field(ge=1, le=10)]
    baseline_tokens: PositiveInt    # about so many of the training split n-grams and xz see: they live in memory
    gradient_reach: Annotated[int, Field(ge=2)]     # steps over which the gradient is followed back
    dtw_cells: PositiveInt          # above so many cells of all warping tables, 1-NN DTW is left out
    seed: Seed                       # of the fresh networks that the gradient is compared with
    threads: PositiveInt
