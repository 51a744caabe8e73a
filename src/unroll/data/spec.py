"""What a network and its users must know of the data: each field's kind and size, what was fitted, how much there is.

A spec stands alone: it lies in the prepared folder and in every model folder, has a format number of its own, and holds
no part of the configuration that it was made from.
"""

import json
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import Field, ValidationError

from unroll.base.errors import UserError
from unroll.data.missing import Missing
from unroll.data.reading import EventsReading as EventsReading
from unroll.data.reading import Names as Names
from unroll.data.reading import Part as Part
from unroll.data.reading import Reading as Reading
from unroll.data.reading import TableReading as TableReading
from unroll.data.reading import WideReading as WideReading

FORMAT = 4      # of a spec and of the prepared folder around it

P = TypeVar("P", bound=Part)


class Scale(Part):
    """Mean and deviation of each number of a step, or of its logarithm, on the training split."""

    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    log: bool = Field(default=False, exclude_if=lambda log: not log)


class FrameScales(Part):
    """The scales of what a forecaster reads and of what it corrects, see `unroll.data.encoders.Frame`."""

    inputs: Scale
    correction: Scale


class ForecastSpec(Part):
    """The windows of a forecast, in steps."""

    horizon: int        # how many are forecast
    context: int        # how many the network reads before
    season: int         # of a cycle; 1: none
    log: bool           # whether the logarithm of the series is forecast
    counts: bool = Field(default=False, exclude_if=lambda counts: not counts)   # or whole numbers from 0 on, as such
    stride: int         # between the origins of two training windows
    # between those of two windows of a series that are scored, and the most of these in a split; None: all
    eval_stride: int = Field(default=1, exclude_if=lambda stride: stride == 1)
    eval_windows: int | None = Field(default=None, exclude_if=lambda most: most is None)
    # what a forecast is compared with, the value a season before or the last one, and the unit of each window
    start: Literal["season", "last"] = Field(default="season", exclude_if=lambda start: start == "season")
    window: Literal["none", "level", "deviation"] = Field(default="none", exclude_if=lambda window: window == "none")


class InputSpec(Part):
    kind: Literal["tokens", "real", "categories"]
    size: int                       # of the vocabulary, all columns' categories, or numbers as the network reads them
    width: int                      # columns in the user's data: fewer than `size` in a forecast; 1 for tokens
    per: Literal["step", "sequence", "own"] = "step"    # own: another sequence beside each, with a length of its own
    # what stands before the first step, where the input is read one step late and predicted from what is before:
    # a symbol, the category for all others, or a scaled number
    begin: int | None = None
    scale: Scale | None = None      # of real numbers; None in a forecast, whose target has a frame
    names: Names | None = None      # of the columns, where the source names them
    categories: tuple[Names, ...] | None = None     # of each column; each column also has one for all others
    longest: int | None = None      # steps of the longest one in training, where it has a length of its own
    # the symbol, or the category's number, with which an item ends that is drawn with others or of categories
    end: int | None = Field(default=None, exclude_if=lambda end: end is None)
    missing: Missing | None = Field(default=None, exclude_if=lambda missing: missing is None)   # None: all are known
    # whether it is known at the steps of a forecast, too, and whether times say it, so that the names are no columns
    known_ahead: bool = Field(default=False, exclude_if=lambda ahead: not ahead)
    calendar: bool = Field(default=False, exclude_if=lambda calendar: not calendar)
    # whether it is the time since the step before, NaN at the first, in seconds or in the unit of times of numbers
    gap: bool = Field(default=False, exclude_if=lambda gap: not gap)

    @property
    def first_numbers(self) -> list[int]:
        """The number of each column's category for all others, behind which its own follow."""
        sizes = [len(names) + 1 for names in self.categories or ()]
        return [sum(sizes[:column]) for column in range(len(sizes))]


class TargetSpec(Part):
    kind: Literal["classes", "labels", "reals", "forecast"]     # what a loss is of
    per: Literal["step", "sequence"]
    size: int                       # classes, labels, or numbers
    of: str | None = None           # the input whose future it is
    ahead: int = 0                  # how many steps after its own a step's target lies, where inputs are not shifted
    classes: Names | None = None    # their names, in the order of their numbers; None for symbols
    scale: Scale | None = None      # of reals
    frame: FrameScales | None = None    # of a forecast
    names: Names | None = None      # of the columns, where the source names them
    # how often training has each of the classes; None: of symbols, and in folders that do not say
    counts: tuple[int, ...] | None = Field(default=None, exclude_if=lambda counts: counts is None)

    @property
    def symbols(self) -> bool:
        """Whether the classes are the symbols of a vocabulary: the next symbol of a text."""
        return self.kind == "classes" and self.classes is None


class Counts(Part):
    """One split; the last three are of text alone, 0 elsewhere."""

    sequences: int
    steps: int
    characters: int = 0
    bytes: int = 0
    unknown: int = 0    # symbols that the vocabulary lacks


class SourceSpec(Part):
    kind: str           # of the source, as data.kind names it
    name: str
    licence: str
    sha256: str         # of all splits' content


class Spec(Part):
    format: Literal[4] = 4
    layout: Literal["stream", "items", "windows"]
    longest: int                    # steps of the longest training sequence, or of a forecast's context
    inputs: dict[str, InputSpec]
    targets: dict[str, TargetSpec]
    forecast: ForecastSpec | None   # of windows
    splits: dict[Literal["train", "validation", "test"], Counts]
    source: SourceSpec
    reading: Reading

    @property
    def main(self) -> str:
        """The series that are forecast, or the first input of steps: a text, numbers, categories, or gaps of times."""
        for target in self.targets.values():
            if target.frame is not None and target.of is not None:
                return target.of
        steps = [(field.gap, ("tokens", "real", "categories").index(field.kind), name)
                 for name, field in self.inputs.items() if field.per == "step"]
        return min(steps)[-1]

    @property
    def known_ahead(self) -> list[str]:
        """Inputs of which the values at the steps of a forecast are needed, too."""
        return [name for name, field in self.inputs.items() if field.known_ahead and not field.calendar]

    @property
    def of_text(self) -> bool:
        """Whether steps are symbols of a text."""
        return any(field.kind == "tokens" and field.per == "step" for field in self.inputs.values())

    @property
    def own(self) -> list[str]:
        """Inputs on an axis of their own: other sequences beside each."""
        return [name for name, field in self.inputs.items() if field.per == "own"]

    @property
    def drawn(self) -> list[str]:
        """Inputs whose steps are drawn together, see `unroll.config.data.SourceSettings.drawn`; sorted."""
        names = sorted(name for name, field in self.inputs.items() if field.begin is not None)
        return names if len(names) > 1 or any(self.inputs[name].kind == "categories" for name in names) else []

    @property
    def ending(self) -> str | None:
        """Which of the drawn inputs has an end; each item then has a last row for it."""
        return next((name for name in self.drawn if self.inputs[name].end is not None), None)

    def closed(self, name: str) -> bool:
        """Whether the last row of an item is of another field's end, so that this one is unknown there."""
        return name in self.drawn and self.ending not in (None, name)

    def shifted(self, name: str) -> bool:
        """Whether a target's first row is of the symbol before the first step, and unknown.

        So it is with targets of steps beside the next symbol of a text, which is read from that symbol on: what has
        read step t, in row t + 1, predicts both step t's own target and the next symbol.
        """
        target = self.targets[name]
        return target.per == "step" and target.of is None and self.inputs[self.main].begin is not None


def read_spec(value: Any, where: str | Path, advice: str) -> Spec:
    """A spec from its JSON; raises `UserError`, which ends in `advice`, on another format or an unknown key."""
    found = value.get("format") if isinstance(value, dict) else None
    if not isinstance(found, int):
        raise UserError("damaged", where, f"damaged. {advice}")
    if found != FORMAT:
        text = f"format {found}, written by another version of unroll; this one reads format {FORMAT}. {advice}"
        raise UserError("wrong-version", where, text)
    return parse(Spec, value, where, advice)


def parse(part: type[P], value: Any, where: str | Path, advice: str) -> P:
    try:
        return part.model_validate_json(json.dumps(value))
    except ValidationError as error:
        place = ".".join(map(str, error.errors()[0]["loc"]))
        raise UserError("damaged", where, f"damaged or edited at {place or 'its start'}. {advice}") from None
