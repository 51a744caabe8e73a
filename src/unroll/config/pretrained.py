"""Section `pretrained`: which weights a training starts from, and which of them it leaves as they are."""

from typing import Annotated

from pydantic import Field, PositiveFloat, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from unroll.config.strict import Strict

# core, inputs, heads, first (the layer that makes the core's first state), or one field of them: inputs.text
Part = Annotated[str, StringConstraints(pattern=r"^(core|first|inputs|heads|(inputs|heads)\.[a-z][a-z0-9_]*)$")]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class PretrainedConfig(Strict):
    model: str | None           # a model folder, from the project's folder on, or models:/NAME@alias; null: none
    sha256: Digest | None       # of its weights, model.safetensors, so that another model is another training
    load: list[Part]            # parts whose weights are taken over; others begin as without a model
    freeze: list[Part]          # parts that are not trained
    learning_rates: dict[Part, PositiveFloat]   # of parts, as a factor of train.learning_rate; others have 1

    @model_validator(mode="after")
    def _of_a_model(self) -> "PretrainedConfig":
        if self.model is None and (self.sha256 or self.load or self.freeze or self.learning_rates):
            raise _mistake("sha256, load, freeze and learning_rates are of a model: name it, or leave them empty")
        if self.model is not None and not self.load:
            raise _mistake("load: nothing is taken over from the model; name parts, such as core or inputs.text")
        for part in self.freeze:
            if not any(within(part, loaded) for loaded in self.load):
                raise _mistake(f"freeze: {part} is not loaded, and would stay as random as it begins; load it, too")
            if part in self.learning_rates:
                raise _mistake(f"learning_rates: {part} is not trained; leave it out of one of them")
        return self


def within(name: str, part: str) -> bool:
    """Whether a part, or a parameter, is of this part."""
    return name == part or name.startswith(f"{part}.")


def _mistake(text: str) -> PydanticCustomError:
    return PydanticCustomError("pretrained", "{text}", {"text": text})
