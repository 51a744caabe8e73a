"""How symbols are drawn and when a text ends: one declaration for conf/, the command line, Python, HTTP and the page.

Each place where settings are given is an interface: it names settings in its own way, and most have defaults.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Annotated, Any, Literal, NamedTuple, cast

from pydantic import Field, NonNegativeInt, PositiveInt, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from unroll.base.errors import Code, UserError, nearest
from unroll.config.strict import Strict

MAX_BEAMS = 1000        # side by side
WINDOW = 256            # symbols that penalties look back at, so that an endless text needs no more memory

Temperature = Annotated[float, Field(gt=0)]
Probability = Annotated[float, Field(gt=0, le=1)]
Penalty = Annotated[float, Field(ge=1, le=100)]
Beams = Annotated[int, Field(ge=1, le=MAX_BEAMS)]
Characters = Annotated[str, Field(min_length=1)]
Texts = Annotated[tuple[Characters, ...], Field(strict=False)]      # a list, too


class Sampling(Strict):
    length: Annotated[PositiveInt | None, Field(description="symbols after the prompt")]     # None: without an end
    min_length: Annotated[NonNegativeInt, Field(description="symbols before which nothing ends the text")]
    greedy: Annotated[bool, Field(description="take the most probable symbol each time; nothing is drawn")]
    temperature: Annotated[Temperature, Field(description="divides the logits: below 1 sharpens, above 1 flattens; "
                                              "the limit 0 is greedy")]
    top_k: Annotated[PositiveInt | None, Field(description="how many of the most probable symbols to draw from")]
    top_p: Annotated[Probability | None, Field(description="draw from the smallest set of symbols whose probability "
                                               "reaches this")]
    min_p: Annotated[Probability | None, Field(description="least probability that is drawn, as a share of the most "
                                               "probable symbol's")]
    repetition_penalty: Annotated[Penalty | None, Field(description="above 1, symbols among the last 256 become less "
                                                        "likely")]
    no_repeat_ngram: Annotated[PositiveInt | None, Field(description="length of the n-grams that occur once within 256 "
                                                         "symbols")]
    allow: Annotated[Characters | None, Field(description="the only characters that may be written")]
    pattern: Annotated[str | None, Field(description="regular expression that the whole continuation matches")]
    stop: Annotated[Texts, Field(description="texts that end the sample, and are left out of it")]
    beams: Annotated[Beams, Field(description="how many best texts a beam search finds; nothing is drawn")]

    @property
    def looks_back(self) -> int:
        """How many symbols of history the rules need."""
        return WINDOW if self.repetition_penalty is not None or self.no_repeat_ngram is not None else 0

    @model_validator(mode="after")
    def _settings_agree(self) -> "Sampling":
        if self.length is not None and self.min_length > self.length:
            raise _mistake("conflict", ["min_length", "length"], f"{self.min_length} is more than {{length}}, "
                           f"{self.length}. Lower it.")
        if self.allow is not None and self.pattern is not None:
            raise _mistake("conflict", ["allow", "pattern"], "a pattern says itself which characters it allows. Leave "
                           "{allow} out.")
        if self.beams > 1:
            self._beams_agree()
        return self

    def _beams_agree(self) -> None:
        if self.length is None:
            raise _mistake("conflict", ["beams", "length"], "a beam search needs an end. Give {length} a number.")
        used = [name for name in ("greedy", "top_k", "top_p", "min_p", "pattern", "allow", "stop")
                if getattr(self, name)] + ["temperature"] * (self.temperature != 1)
        if used:
            raise _mistake("conflict", ["beams", *used], "a beam search looks for the most probable text and draws "
                           f"nothing. Leave {', '.join(f'{{{name}}}' for name in used)} out.")


def option(name: str) -> str:
    return "--" + name.replace("_", "-")


def label(name: str) -> str:
    """`top_p` → "Top-p", `min_length` → "Min length"."""
    return re.sub("_(?=[kp]$)", "-", name).replace("_", " ").capitalize()


class Interface(NamedTuple):
    """A place where settings are given."""

    name: Callable[[str], str]          # top_p → --top-p: a setting as a user writes it there
    defaults: Mapping[str, Any]         # of the settings that may be left out there


OFF: Mapping[str, Any] = {
    "length": 200, "min_length": 0, "greedy": False, "temperature": 1.0, "top_k": None, "top_p": None, "min_p": None,
    "repetition_penalty": None, "no_repeat_ngram": None, "allow": None, "pattern": None, "stop": (), "beams": 1,
}
PYTHON = Interface(str, OFF)                # and HTTP
CONF = Interface("generate.{}".format, {})
COMMAND = Interface(option, {**OFF, "length": 500, "temperature": 0.7})
COMMAND_NUMBERS = Interface(option, OFF)    # for music, and for paths, whose length is the model's horizon
PAGE = Interface(label, {**OFF, "length": 400, "temperature": 0.7})


class Setting(NamedTuple):
    """One setting as every interface shows it."""

    kind: Literal["integer", "number", "boolean", "string", "array"]
    wanted: str             # "a number above 0 and at most 1"
    description: str
    least: float | None     # the lowest value; None where a value must be above a limit, or has none


@cache
def settings() -> dict[str, Setting]:
    """Every setting by name, in the order of the declaration."""
    return {name: _setting(described) for name, described in Sampling.model_json_schema()["properties"].items()}


def sampling(interface: Interface = PYTHON, /, **given: Any) -> Sampling:
    """Settings given through an interface, completed by its defaults; raises `SettingError` in its names."""
    given = {name: _plain(value) for name, value in given.items()}
    try:
        return Sampling(**{**interface.defaults, **given})
    except ValidationError as error:
        raise _explained(error, given).at(interface) from None


def check_seed(seed: Any) -> int:
    """A seed as an integer; raises `UserError` on anything else."""
    if not isinstance(seed := _plain(seed), int) or isinstance(seed, bool):
        raise UserError("wrong-type", "seed", f"{seed!r} is not a whole number. Give one.")
    return seed


class SettingError(UserError):
    """Settings that are out of range or contradict each other, or that a model cannot satisfy.

    In `text`, {top_p} is replaced by the interface's name for that setting, and names in `values` by their values.
    """

    def __init__(self, code: Code, names: Sequence[str], text: str, /, interface: Interface = PYTHON,
                 **values: Any) -> None:
        self._template, self._names, self._values = text, names, values
        known = {name: interface.name(name) for name in Sampling.model_fields}
        super().__init__(code, ", ".join(map(interface.name, names)), text.format(**known, **values))

    def at(self, interface: Interface) -> "SettingError":
        """The same error with the names of another interface."""
        return SettingError(self.code, self._names, self._template, interface=interface, **self._values)


@contextmanager
def named_at(interface: Interface) -> Iterator[None]:
    """Settings in errors raised inside get the names of this interface."""
    try:
        yield
    except SettingError as error:
        raise error.at(interface) from None


def _mistake(code: Code, names: Sequence[str], text: str) -> PydanticCustomError:
    """An error for pydantic to report; its plain form is for conf/."""
    plain = f"{', '.join(names)}: {text.format(**{name: name for name in Sampling.model_fields})}"
    return PydanticCustomError(code, "{plain}", {"plain": plain, "names": names, "text": text})


def _explained(error: ValidationError, given: Mapping[str, Any]) -> SettingError:
    first = error.errors(include_url=False)[0]
    context, kind = first.get("ctx", {}), first["type"]
    code: Code
    if "names" in context:      # of `_mistake`
        code = cast(Code, kind)
        return SettingError(code, context["names"], context["text"])
    if kind == "unknown_name":
        unknown = next(name for name in given if name not in Sampling.model_fields)
        return SettingError("unknown-name", [unknown], "no setting of a sample; {advice}",
                            advice=nearest(unknown, Sampling.model_fields))
    name = str(first["loc"][0])
    code = ("unreadable" if kind == "string_unicode" else
            "out-of-range" if kind.startswith(("greater", "less", "finite", "string_too")) else "wrong-type")
    return SettingError(code, [name], "{value} is not {wanted} ({description}).", value=f"{given[name]!r:.60}",
                        wanted=settings()[name].wanted, description=settings()[name].description)


def _setting(described: dict[str, Any]) -> Setting:
    kind = next(kind for kind in described.get("anyOf", [described]) if kind["type"] != "null")
    least, above, most = (kind.get(limit) for limit in ("minimum", "exclusiveMinimum", "maximum"))
    if kind["type"] == "integer" and above is not None:
        least, above = above + 1, None
    words = {"integer": "a whole number", "number": "a number", "boolean": "true or false", "string": "a text",
             "array": "a list of texts"}[kind["type"]]
    words += f" from {least}" if least is not None else f" above {above:g}" if above is not None else ""
    words += "" if most is None else f" to {most}" if least is not None else f" and at most {most:g}"
    words += " that is not empty" if "minLength" in kind else ""
    words += " that are not empty" if "minLength" in kind.get("items", {}) else ""
    return Setting(kind["type"], words, described["description"], least)


def _plain(value: Any) -> Any:
    """A NumPy scalar as a Python number."""
    return value.item() if hasattr(value, "item") else value
