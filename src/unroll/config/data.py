"""Section `data`: where sequences come from, what is read and what is predicted, what is held out.

The settings of each kind of source are in `config/sources/`, built from the types and base classes here.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, PositiveInt, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from unroll.config.kinds import OneOf
from unroll.config.sources import SOURCES
from unroll.config.strict import Name, Seed, Strict
from unroll.config.tokenizer import Tokenizer

SplitShare = Annotated[float, Field(gt=0, lt=0.5)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]

Input = Literal[
    "tokens",               # symbols of a text
    "real",                 # a vector of real numbers per step
    "categories",           # one or several categories per step
    "future_real",          # as real, beside a forecast and known ahead: at the steps that are forecast, too
    "future_categories",    # the same of categories
    "calendar",             # the hour, the weekday, … of each step, which are categories, from its time
    "gap",                  # the time since the step before, read as its logarithm
    "static_real",          # a vector of real numbers per sequence
    "static_categories",    # one or several categories per sequence
    "context_tokens",       # symbols of another text per sequence, with a length of its own
    "context_real",         # another series of vectors per sequence, with a length of its own
    "context_categories",   # the same of one or several categories per step
]
STATIC = ("static_real", "static_categories")
CONTEXT = ("context_tokens", "context_real", "context_categories")
AS_REAL = {"gap": "real"}       # inputs that are real numbers to an encoder
# inputs that are known at the steps of a forecast, too, and what they are to an encoder
KNOWN_AHEAD = {"future_real": "real", "future_categories": "categories", "calendar": "categories"}
Target = Literal[
    "next",         # the input's own next step: a symbol, a category or a vector
    "next_labels",  # the same of an input whose numbers are 0 or 1: any number of labels
    "class",        # one class per sequence
    "tag",          # one class per step
    "labels",       # any number of labels per step
    "value",        # a real vector per sequence
    "values",       # a real vector per step
    "forecast",     # the input's next `horizon` steps, with intervals
]
FUTURE = ("next", "next_labels", "forecast")    # of an input, whose name they share
PER_SEQUENCE = ("class", "value", "forecast")   # one per sequence or window; others are per step
Scale = Literal["standard", "none"]     # to mean 0 and deviation 1 on the training split, or as it is
# numbers of inputs that are not known: an error, or what the network reads in their place, see `unroll.data.missing`
Missing = Literal["refuse", "mask", "forward", "mean", "interpolate"]


class ForecastConfig(Strict):
    """What a forecast is made from: windows of one or several series."""

    horizon: PositiveInt        # steps ahead
    context: PositiveInt        # steps that the network reads before each origin
    season: PositiveInt         # steps of a cycle; 1: none. The network corrects the seasonal naive forecast
    # true: on the logarithm, for positive series whose swings grow with their level; counts: whole numbers from 0 on,
    # for a loss of counts
    log: bool | Literal["counts"]
    stride: PositiveInt         # steps between the origins of two training windows
    eval_stride: PositiveInt    # of a series, between those of two windows that validation and test score
    eval_windows: PositiveInt | None    # the most windows that either of them scores, spread evenly; null: all
    # what a forecast corrects: the value a season before, the last one, or the one that errs less in validation
    start: Literal["season", "last", "better"]
    # what each window is divided by: nothing, its mean size or its deviation; by level (or log) seasons are multiples
    window: Literal["none", "level", "deviation"]


class SourceSettings(Strict):
    """What every source has: names of inputs and targets, which `model.inputs` and `model.heads` share."""

    BASE: ClassVar[bool] = False                # whether conf/data/base/KIND.yaml has plain values of its settings
    SEVERAL: ClassVar[bool] = False             # whether it gives several inputs, of all kinds
    FIXED: ClassVar[tuple[Input, Target] | None] = None     # kinds of the only input and target that a source has
    LOWEST_NOTE: ClassVar[int | None] = None    # MIDI number of a piano roll's first column; None: it is no piano roll

    kind: str
    inputs: dict[Name, Input]
    targets: dict[Name, Target]

    @model_validator(mode="after")
    def _fields_agree(self) -> "SourceSettings":
        for mistake in (self._fixed(), self._gaps(), self._forecasts(), self._names(), self._steps(),
                        self._one_input(), self._missing()):
            if mistake is not None:
                raise PydanticCustomError("fields", "{text}", {"text": mistake})
        return self

    def _fixed(self) -> str | None:
        if self.FIXED is None or [*self.inputs.values(), *self.targets.values()] == [*self.FIXED]:
            return None
        return f"{self.kind} has one input of kind {self.FIXED[0]} and one target of kind {self.FIXED[1]}"

    def _forecasts(self) -> str | None:
        forecasts = {name for name, kind in self.targets.items() if kind == "forecast"}
        if bool(forecasts) != (getattr(self, "forecast", None) is not None):
            return "a target of kind forecast and the settings data.forecast go together"
        if forecasts and not forecasts <= set(self.inputs):
            return f"a forecast predicts its own input: give both the same name, {sorted(self.inputs)}"
        if len(forecasts) > 1:
            return f"one forecast is made, of any number of columns: name those of {sorted(forecasts)} at one of them"
        forecast: ForecastConfig | None = getattr(self, "forecast", None)
        if forecast is not None and forecast.log and forecast.window == "level":
            return "forecast: log and the level of each window both make seasons multiples of the level; choose one"
        if forecast is not None and forecast.log == "counts" and forecast.window != "none":
            return "forecast: counts are predicted as they are; set window to none"
        if forecast is not None and forecast.log == "counts" and forecast.start == "last":
            return "forecast: counts are predicted as they are, and correct nothing; set start to season"
        for name, read in self.inputs.items():
            if forecasts and (read == "tokens" or read in CONTEXT):
                return f"inputs.{name}: {read} cannot stand beside series to forecast; leave it out"
            if not forecasts and read in KNOWN_AHEAD:
                return (f"inputs.{name}: only a forecast reads the calendar; leave it out" if read == "calendar" else
                        f"inputs.{name}: only a forecast reads what is known ahead; set it to {KNOWN_AHEAD[read]}")
        for name, kind in self.targets.items() if forecasts else ():
            if kind in PER_SEQUENCE and kind != "forecast":
                return (f"targets.{name}: series to forecast are cut in time, so that each series, and with it its "
                        f"{kind}, is in training, too, and nothing would be predicted; leave it out, or choose a "
                        "target of each step")
        return None

    def _gaps(self) -> str | None:
        gaps = [name for name, kind in self.inputs.items() if kind == "gap"]
        if gaps and getattr(self, "time", None) is None:
            return f"inputs.{gaps[0]}: gaps are between times, and no column of times is named as time; leave it out"
        if gaps and "forecast" in self.targets.values():
            return (f"inputs.{gaps[0]}: the steps of a forecast are as far apart, and the times between them no input; "
                    "leave it out")
        return f"inputs: {' and '.join(gaps)} are the same; keep one" if len(gaps) > 1 else None

    def _one_input(self) -> str | None:
        if self.SEVERAL or (len(self.inputs) == 1 and set(self.inputs.values()) <= {"tokens", "real"}):
            return None
        return f"{self.kind} has one input, of kind tokens or real: give one of {sorted(self.inputs)}"

    def _steps(self) -> str | None:
        texts = [name for name, kind in self.inputs.items() if kind == "tokens"]
        if not self.step_inputs:
            return f"inputs: {sorted(self.inputs)} stand for whole sequences; name one that has steps, tokens or real"
        if len(texts) > 1:
            return f"inputs: several texts, {texts}, are not supported yet: keep one"
        return None

    def _names(self) -> str | None:
        for name, kind in self.targets.items():
            if kind in FUTURE and self.inputs.get(name, "tokens") not in ("tokens", "real", "categories"):
                return f"targets.{name}: {kind} is the next step of an input of tokens, categories or real numbers"
            if kind in FUTURE and name not in self.inputs:
                return f"targets.{name}: {kind} is the next step of an input; inputs are {sorted(self.inputs)}"
            if kind == "forecast" and self.inputs[name] == "categories":
                return f"targets.{name}: a forecast is of real numbers; the next category is the target next"
            if kind == "next_labels" and self.inputs[name] != "real":
                return f"targets.{name}: next_labels need an input of kind real whose numbers are 0 or 1"
            if kind not in FUTURE and name in self.inputs:
                return f"targets.{name}: an input has that name; give the {kind} another one"
        others = [name for name, kind in self.targets.items() if kind not in (*FUTURE, *PER_SEQUENCE)]
        if self.drawn and others:
            return (f"targets.{others[0]}: each step of {' and '.join(self.drawn)} is predicted before it is read, so "
                    f"that no step has read what its {self.targets[others[0]]} is of; leave it out")
        beside = [name for name in self.step_inputs if self.inputs[name] != "tokens"]
        if self.shifted and beside:
            return (f"inputs.{beside[0]}: where {' and '.join(self.shifted)} and the next symbol of a text are "
                    "predicted, each step reads a symbol, of which the first is no step of the data and has no "
                    f"{beside[0]}; leave it out, or one of the targets")
        return None

    def _missing(self) -> str | None:
        numbers = ("real", "future_real", "static_real", "context_real")
        reals = any(kind in numbers and self.targets.get(name) != "forecast" for name, kind in self.inputs.items())
        if self.missing_numbers and reals and getattr(self, "scale", "standard") == "none":
            return (f"scale: {self.missing_numbers} reads the mean before a first value, and none leaves numbers as "
                    "they are, so that there is no mean; set it to standard")
        for name, kind in self.targets.items() if self.missing_numbers else ():
            if kind == "next_labels":
                return f"missing: the labels of {name} are 0 or 1 at each step; set it to refuse"
            if kind == "next" and self.missing_numbers == "interpolate" and self.inputs.get(name) == "real":
                return (f"missing: between two known values, interpolate would show the network the next one, which "
                        f"{name} predicts; choose mask, forward or mean")
        return None

    @property
    def missing_numbers(self) -> Literal["mask", "forward", "mean", "interpolate"] | None:
        """How numbers of inputs that are not known are dealt with; None: they are refused."""
        missing: Missing = getattr(self, "missing", "refuse")
        return None if missing == "refuse" else missing

    @property
    def step_inputs(self) -> list[str]:
        """Inputs that stand at each step."""
        return [name for name, kind in self.inputs.items() if kind not in (*STATIC, *CONTEXT)]

    @property
    def drawn(self) -> tuple[str, ...]:
        """Inputs whose steps are predicted together, each step from all before it: several, or one of categories.

        They are read one step late, from a row before the first step on.
        """
        names = tuple(name for name, kind in self.targets.items() if kind in ("next", "next_labels"))
        return names if len(names) > 1 or any(self.inputs[name] == "categories" for name in names) else ()

    def ending(self, items: bool) -> str | None:
        """Which of the drawn inputs ends an item, with a symbol of its own: the text, or the first one of categories.

        None ends where there are no symbols, or where other inputs of steps say how long a sequence is.
        """
        if not items or {*self.step_inputs} != {*self.drawn}:
            return None
        symbols = sorted((self.inputs[name] != "tokens", name) for name in self.drawn if self.inputs[name] != "real")
        return symbols[0][1] if symbols else None

    @property
    def shifted(self) -> tuple[str, ...]:
        """Targets of steps beside the next symbol of a text, which is read from a symbol before its first one on."""
        if not any(kind == "next" and self.inputs.get(name) == "tokens" for name, kind in self.targets.items()):
            return ()
        return tuple(name for name, kind in self.targets.items() if kind not in (*FUTURE, *PER_SEQUENCE))


class SplitSettings(SourceSettings):
    """Sources whose validation split, at least, is made here."""

    validation: SplitShare           # share of the training part that chooses the best weights
    seed: Seed                  # of the hash or the draw that splits and generates


class TextSettings(SourceSettings):
    """Sources of text whose next symbol is predicted."""

    inputs: dict[Name, Literal["tokens"]]       # type: ignore[assignment]
    targets: dict[Name, Literal["next"]]        # type: ignore[assignment]
    tokenizer: Tokenizer
    validation: SplitShare                           # share of the text that chooses the best weights
    test: SplitShare                                 # share of the text that only `evaluate` reads
    seed: Seed                                  # of the hash that orders and splits

    def _names(self) -> str | None:
        if len(self.inputs) == 1 and set(self.inputs) == set(self.targets):
            return None
        return "a text is one input, and the target is its own next symbol: give both one and the same name"


def lowest_note(source: str) -> int | None:
    """Settings of a kind of source; None also when its package is not installed."""
    note: int | None = SOURCES.settings_of(source).LOWEST_NOTE if source in SOURCES.names() else None
    return note


DataConfig = Annotated[SourceSettings, OneOf(SOURCES)]
