"""What Python asks of a model that generates texts, checked."""

from collections.abc import Mapping, Sequence
from typing import Any

from unroll.base.errors import UserError
from unroll.data.given import Given
from unroll.models.folder import Model
from unroll.prediction.sequences import SequenceReader


def check_writes(model: Model, prompts: Any) -> None:
    """Raises `UserError` for another kind of model, and for prompts that are no list of texts."""
    if model.generates != "text":
        kinds = ", ".join(head.kind for head in model.config.heads.values())
        raise UserError("unsupported", "generate", f"the model's head is {kinds}; only language models generate texts.")
    if isinstance(prompts, str) or not all(isinstance(prompt, str) for prompt in prompts):
        raise UserError("wrong-type", "generate", "not a list of texts. Give [text], one prompt or several.")


def given_for(prompts: Sequence[str], given: Mapping[str, Any] | Sequence[Mapping[str, Any]], reader: SequenceReader,
              needed: Sequence[str]) -> list[Given]:
    """For each prompt what the network reads beside it: one mapping for each, or one for all."""
    if isinstance(given, Mapping):
        return [reader.beside("given", given, needed)] * len(prompts)
    if len(given) != len(prompts):
        raise UserError("conflict", "given", f"{len(given)} for {len(prompts)} prompts. Give one for each, or one for "
                        "all.")
    return [reader.beside("given", values, needed) for values in given]
