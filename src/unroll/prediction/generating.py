"""What a model generates, in Python."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Any

import torch

from unroll.config.sampling import check_seed, sampling
from unroll.data.encoders import scaler_of
from unroll.data.spec import Spec
from unroll.generation.engine import Engine
from unroll.generation.engines import engine_of
from unroll.generation.music import Composer
from unroll.generation.one_field import OneField
from unroll.generation.rows import RowGenerator
from unroll.generation.text import Generator
from unroll.models.folder import Model
from unroll.prediction.rows import prompt_of, repeated, values_of
from unroll.prediction.sequences import SequenceReader
from unroll.prediction.writing import check_writes, given_for


class Generating:
    """The half of a `Predictor` that generates."""

    model: Model
    spec: Spec
    input: str
    _reads: SequenceReader

    def generate(self, prompts: Sequence[Any] = ("",), seed: int = 1,
                 given: Mapping[str, Any] | Sequence[Mapping[str, Any]] = MappingProxyType({}), **settings: Any
                 ) -> list[Any]:
        """A text after each prompt, prompt included; the n-th depends on (seed, n) alone.

        A model that draws several fields gives sequences {field: values}, as `predict` takes them, and its prompts are
        such, or "" for none.
        `given` are the values of the model's other inputs by name, the same for all prompts or one mapping for each.
        `settings` are those of `unroll.config.sampling`: length, temperature, top_k, …
        """
        check_writes(self.model, prompts)
        if self.model.generates == "rows":
            beside = given_for(prompts, given, self._reads, self.row_generator.needs)
            begun = [prompt_of("", prompt, self.spec, self._reads, own, f"prompt {number}")
                     for number, (prompt, own) in enumerate(zip(prompts, beside, strict=True), 1)]
            rules = sampling(**settings)
            rows = self.row_generator.samples([prompt.rows for prompt in begun], rules, check_seed(seed), given=beside)
            return [values_of(sample, prompt, self.spec, self.model.tokenizers)
                    for sample, prompt in zip(rows, repeated(begun, rules.beams), strict=True)]
        beside = given_for(prompts, given, self._reads, self.generator.needs)
        made = self.generator.samples(prompts, sampling(**settings), check_seed(seed), given=beside)
        return [sample.prompt + sample.text for sample in made]

    @cached_property
    def generator(self) -> Generator:
        """Behind `generate`, with more results: symbols, their probabilities, a text as it is drawn."""
        return Generator(self._engine, self.model.tokenizers[self.input])

    @cached_property
    def row_generator(self) -> RowGenerator:
        """Behind `generate` of a model that draws several fields, as the network reads them."""
        return RowGenerator(self._engine, self.spec, self.model.config.heads, self.model.tokenizers)

    @cached_property
    def composer(self) -> Composer:
        """Generates pieces, from a model of music."""
        return Composer(OneField(self._engine), scaler_of(self.spec.inputs[self.input]))

    @property
    def _engine(self) -> Engine[Any]:
        return engine_of(self.model.network, torch.get_num_threads())
