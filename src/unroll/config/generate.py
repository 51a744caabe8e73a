"""Section `generate`: what is sampled."""

from typing import Annotated

from pydantic import Field, PositiveInt

from unroll.config.sampling import Sampling, Temperature
from unroll.config.strict import Name, Seed

Value = str | int | float


class GenerateConfig(Sampling):
    prompts: Annotated[list[str], Field(min_length=1)]      # "" starts from the data's begin symbol
    given: dict[Name, Value | list[Value]]  # of the model's other inputs; those left out are as in the test split
    count: PositiveInt                                      # samples for each prompt
    length: Annotated[PositiveInt, Field(description="symbols after the prompt")]
    temperatures: list[Temperature]     # to compare, in a picture of quality and diversity
    ngram_order: PositiveInt            # of the n-grams that say how likely the samples are
    ngram_tokens: PositiveInt           # of the training split that they are counted in
    seed: Seed
    threads: PositiveInt
