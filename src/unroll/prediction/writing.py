"""What is asked of a model that generates texts, and what it reads beside them."""

from collections.abc import Mapping, Sequence
from typing import Any

from unroll.base.errors import UserError
from unroll.config.generate import GenerateConfig
from unroll.data.given import Given, given_of
from unroll.data.store import Prepared
from unroll.generation.rows import RowGenerator
from unroll.generation.symbols import encode_prompt
from unroll.generation.text import Generator
from unroll.models.folder import Model
from unroll.prediction.sequences import SequenceReader


def check_writes(model: Model, prompts: Any) -> None:
    """Raises `UserError` for another kind of model, and for prompts that are no list, or not of texts."""
    if model.generates == "rows":
        if isinstance(prompts, str | Mapping) or not isinstance(prompts, Sequence):
            raise UserError("wrong-type", "generate", "not a list of prompts. Give [{field: values}], or [\"\"].")
        return
    if model.generates != "text":
        kinds = ", ".join(head.kind for head in model.config.heads.values())
        raise UserError("unsupported", "generate", f"the model's head is {kinds}; only language models, and models of "
                        "the next step of several fields or of categories, generate in Python.")
    if isinstance(prompts, str) or not all(isinstance(prompt, str) for prompt in prompts):
        raise UserError("wrong-type", "generate", "not a list of texts. Give [text], one prompt or several.")


def given_for(prompts: Sequence[Any], given: Mapping[str, Any] | Sequence[Mapping[str, Any]], reader: SequenceReader,
              needed: Sequence[str]) -> list[Given]:
    """For each prompt what the network reads beside it: one mapping for each, or one for all."""
    if isinstance(given, Mapping):
        return [reader.beside("given", given, needed)] * len(prompts)
    if len(given) != len(prompts):
        raise UserError("conflict", "given", f"{len(given)} for {len(prompts)} prompts. Give one for each, or one for "
                        "all.")
    return [reader.beside("given", values, needed) for values in given]


def beside(names: list[str], model: Model, prepared: Prepared, settings: GenerateConfig, count: int) -> list[Given]:
    """What each sample is generated for: `settings.given`, and of other inputs what the test split's sequences have."""
    reader = SequenceReader(model.spec, model.tokenizers, None)
    known = [name for name in names if name in settings.given]
    fixed = reader.beside("generate.given", settings.given, known if len(known) == len(settings.given) else names)
    return [{**found, **fixed} for found in given_of(prepared.sequences("test"), names, count)]


def within_steps(settings: GenerateConfig, generator: Generator | RowGenerator, given: list[Given]) -> GenerateConfig:
    """No longer than the inputs of steps that are read beside the text, or beside rows without a prompt."""
    steps = [len(values[name]) for values in given for name in generator.steps]
    if not steps:
        return settings
    read = 0 if isinstance(generator, RowGenerator) else \
        max(len(encode_prompt(generator.tokenizer, prompt)) - 1 for prompt in settings.prompts)
    length = max(1, min(settings.length, min(steps) - read))
    return settings.model_copy(update={"length": length, "min_length": min(settings.min_length, length)})
