"""What a model reads beside the text that it writes, as typed on the command line or in a file of prompts."""

from collections.abc import Sequence
from typing import Any

from unroll.base.errors import UserError
from unroll.commands.sample.prompts import Prompt
from unroll.data.given import Given
from unroll.models.manifest import ModelFolder


def read_given(opened: ModelFolder, needed: Sequence[str], typed: Sequence[str], prompts: Sequence[Prompt]
               ) -> list[Given]:
    """For each prompt its own values, and those typed as NAME=VALUE,VALUE elsewhere."""
    if not (needed or typed or any(prompt.given for prompt in prompts)):
        return [{} for _ in prompts]
    from unroll.prediction.sequences import SequenceReader

    reader, everywhere = SequenceReader(opened.spec, opened.tokenizers, None), _typed(opened, typed)
    return [reader.beside(prompt.where or "--given", {**everywhere, **prompt.given}, needed) for prompt in prompts]


def _typed(opened: ModelFolder, typed: Sequence[str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for text in typed:
        name, equals, value = text.partition("=")
        if not equals or name in values:
            raise UserError("unreadable" if not equals else "conflict", "--given", f"{text!r} is not NAME=VALUE."
                            if not equals else f"{name} is given twice. Leave one out.")
        field = opened.spec.inputs.get(name)
        if field is not None and field.per == "step":
            raise UserError("unsupported", "--given", f"{name} has values at each step. Give it in a file of prompts: "
                            '{"prompt": "…", "given": {…}}.')
        if field is None or field.kind == "tokens":
            values[name] = value
            continue
        parts = value.split(",") if field.width > 1 or (field.per == "own" and value) else [value] * bool(value)
        values[name] = parts if field.kind == "categories" else [_number(name, part) for part in parts]
    return values


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UserError("bad-number", "--given", f"{name}: {text!r} is not a number. Give one.") from None
