"""Section `generate`: what is sampled. `unroll/generation/settings.py` says what each rule does."""

from typing import Annotated

from pydantic import Field, NonNegativeInt, PositiveInt

from unroll.config.strict import Seed, Strict

Share = Annotated[float, Field(gt=0, le=1)]


class GenerateConfig(Strict):
    prompts: Annotated[list[str], Field(min_length=1)]      # "" starts from the data's begin symbol
    count: PositiveInt                                      # samples for each prompt
    length: PositiveInt                                     # symbols after the prompt
    min_length: NonNegativeInt
    greedy: bool                                            # the most probable symbol each time, nothing drawn
    temperature: Annotated[float, Field(gt=0)]
    top_k: PositiveInt | None
    top_p: Share | None
    min_p: Share | None                                     # of the most probable symbol's probability
    repetition_penalty: Annotated[float, Field(ge=1, le=100)] | None
    no_repeat_ngram: PositiveInt | None
    allow: str | None                                       # the only characters that may be written
    pattern: str | None                                     # a regular expression that the whole continuation matches
    stop: list[str]                                         # strings that end the text
    beams: PositiveInt                                      # of a beam search, which draws nothing
    temperatures: list[Annotated[float, Field(gt=0)]]       # to compare, in a picture of quality and diversity
    ngram_order: PositiveInt                                # of the n-grams that say how likely the samples are
    ngram_tokens: PositiveInt                               # of the training split that they are counted in
    seed: Seed
    threads: PositiveInt
