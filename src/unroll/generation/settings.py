"""How symbols are drawn, and when a text ends."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import NoneType, UnionType
from typing import Any, get_args, get_type_hints

import numpy as np

from unroll.base.errors import UserError, nearest

NAMES = {int: "a whole number", float: "a number", bool: "true or false", str: "a text", NoneType: "nothing",
         tuple[str, ...]: "a list of texts"}
BEAMS = 1000        # side by side
WINDOW = 256        # symbols that penalties look back at, so that a text without an end needs no more memory


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Raises `UserError` naming the one that is out of range."""

    length: int | None = 200            # symbols after the prompt; None: for ever
    min_length: int = 0                 # drawn ones, before which no end symbol or stop string ends the text
    greedy: bool = False                # always the most probable symbol
    temperature: float = 1.0            # above 0
    top_k: int | None = None
    top_p: float | None = None          # in (0, 1]
    min_p: float | None = None          # in (0, 1], of the most probable symbol's probability
    repetition_penalty: float | None = None     # from 1 to 100
    no_repeat_ngram: int | None = None
    allow: str | None = None            # characters, none other may be written
    pattern: str | None = None          # a regular expression that the whole continuation matches
    stop: tuple[str, ...] = ()          # strings that end the text, which they are left out of
    beams: int = 1                      # of a beam search, which draws nothing

    def __post_init__(self) -> None:
        for name in ("length", "top_k", "no_repeat_ngram", "beams"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise UserError(f"{name}: {value} is not a whole number above 0. Give one, or leave {name} out.")
        if self.min_length < 0 or (self.length is not None and self.min_length > self.length):
            raise UserError(f"min_length: {self.min_length} is not between 0 and length, {self.length}. Set it there.")
        if not 0 < self.temperature < float("inf"):
            raise UserError(f"temperature: {self.temperature:g} is no number above 0. Give one, or greedy for the "
                            "most probable symbol each time.")
        for name in ("top_p", "min_p"):
            value = getattr(self, name)
            if value is not None and not 0 < value <= 1:
                raise UserError(f"{name}: {value:g} is not above 0 and at most 1. Give a share that is, or leave it "
                                "out.")
        if self.repetition_penalty is not None and not 1 <= self.repetition_penalty <= 100:
            raise UserError(f"repetition_penalty: {self.repetition_penalty:g} is not from 1 to 100. Give 1.1, say.")
        if self.beams > BEAMS:
            raise UserError(f"beams: {self.beams} are more than {BEAMS:,}. Give fewer.")
        for name in ("allow", "pattern", "stop"):
            try:
                "".join(getattr(self, name) or "").encode()
            except UnicodeEncodeError:
                raise UserError(f"{name}: holds what is no character. Give UTF-8.") from None
        if self.allow == "":
            raise UserError("allow: no character is allowed, so that nothing can be written. Name at least one.")
        if self.allow is not None and self.pattern is not None:
            raise UserError("allow, pattern: both are given. A pattern alone says which characters it allows.")
        if "" in self.stop:
            raise UserError("stop: an empty string ends every text at once. Leave it out.")
        self._check_beams()

    @property
    def looks_back(self) -> int:
        """How many symbols of history the rules need."""
        return WINDOW if self.repetition_penalty is not None or self.no_repeat_ngram is not None else 0

    def _check_beams(self) -> None:
        if self.beams == 1:
            return
        if self.length is None:
            raise UserError("beams: a beam search needs a length. Give one.")
        drawn = [name for name in ("greedy", "top_k", "top_p", "min_p", "pattern", "allow") if getattr(self, name)]
        if drawn or self.stop or self.temperature != 1:
            named = ", ".join([*drawn, *(["stop"] if self.stop else []), *(["temperature"] * (self.temperature != 1))])
            raise UserError(f"beams, {named}: a beam search looks for the most probable text and draws nothing. Leave "
                            f"{named} out.")


def read_settings(given: Mapping[str, Any]) -> Settings:
    """From names and values that somebody wrote; raises `UserError` on a name or a type that is none."""
    types = get_type_hints(Settings)
    given = {name: plain(value) for name, value in given.items()}
    for name, value in given.items():
        if name not in types:
            raise UserError(f"{name}: no setting of a sample; {nearest(name, types)}")
        if not any(_is(value, kind) for kind in _choices(types[name])):
            wanted = " or ".join(NAMES[kind] for kind in _choices(types[name]))
            raise UserError(f"{name}: {value!r} is of the wrong type. Give {wanted}.")
    values: dict[str, Any] = {name: tuple(value) if name == "stop" else value for name, value in given.items()}
    return Settings(**values)


def check_seed(seed: Any) -> int:
    """Raises `UserError` on what is no whole number."""
    if not isinstance(seed := plain(seed), int) or isinstance(seed, bool):
        raise UserError(f"seed: {seed!r} is of the wrong type. Give a whole number.")
    return seed


def plain(value: Any) -> Any:
    """A number of NumPy's as one of Python's."""
    return value.item() if isinstance(value, np.generic) else value


def settings_of(section: object) -> Settings:
    """From a section of a configuration that has them all under their names."""
    return read_settings({each.name: getattr(section, each.name) for each in fields(Settings)})


def _choices(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if isinstance(hint, UnionType) else (hint,)


def _is(value: Any, kind: Any) -> bool:
    if kind == tuple[str, ...]:
        return isinstance(value, list | tuple) and all(isinstance(each, str) for each in value)
    if isinstance(value, bool):
        return kind is bool
    if kind is float and isinstance(value, int):
        return abs(value) <= sys.float_info.max
    return isinstance(value, kind)
