"""Section `generate`: what is sampled."""

from typing import Annotated

from pydantic import Field, NonNegativeFloat, PositiveInt

from unroll.config.strict import Seed, Strict


class GenerateConfig(Strict):
    prompts: Annotated[list[str], Field(min_length=1)]      # "" starts from the data's begin symbol
    count: PositiveInt                                      # samples for each prompt
    length: PositiveInt                                     # symbols after the prompt
    temperature: NonNegativeFloat                           # 0: always the most probable symbol
    top_k: PositiveInt | None
    top_p: Annotated[float, Field(gt=0, le=1)] | None
    seed: Seed
    threads: PositiveInt
