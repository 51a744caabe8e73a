"""conf/tune/NAME.yaml: what is searched, by whom, and when a trial is given up."""

from pathlib import Path
from typing import Annotated, Literal

import optuna
import yaml
from pydantic import Field, NonNegativeInt, PositiveInt, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from unroll.base.errors import UserError, nearest
from unroll.config.load import explain, parse
from unroll.config.strict import Strict


class Range(Strict):
    """From `low` to `high`, both included; of whole numbers when both are whole."""

    low: int | float
    high: int | float
    log: bool = False
    step: int | float | None = None

    @model_validator(mode="after")
    def _possible(self) -> "Range":
        mistake = ""
        if self.low >= self.high:
            mistake = "low must be below high"
        elif self.log and (self.low <= 0 or self.step is not None):
            mistake = "a logarithmic range needs low above 0, and no step"
        if mistake:
            raise PydanticCustomError("range", "{text}", {"text": mistake})
        return self

    def suggest(self, trial: optuna.Trial, name: str) -> object:
        if isinstance(self.low, int) and isinstance(self.high, int) and isinstance(self.step, int | None):
            return trial.suggest_int(name, self.low, self.high, step=self.step or 1, log=self.log)
        return trial.suggest_float(name, self.low, self.high, step=self.step, log=self.log)


class NoPruner(Strict):
    kind: Literal["none"]

    def build(self) -> optuna.pruners.BasePruner:
        return optuna.pruners.NopPruner()


class MedianPruner(Strict):
    """A trial worse than the median of the others at the same validation is given up."""

    kind: Literal["median"]
    trials: NonNegativeInt      # that run whole before any is given up
    first: PositiveInt          # validations that every trial has

    def build(self) -> optuna.pruners.BasePruner:
        return optuna.pruners.MedianPruner(self.trials, self.first - 1)


class HalvingPruner(Strict):
    """Asynchronous successive halving (Li et al., 2020): after `first` validations, and each time after `factor` times
    as many, the best 1/`factor` of those that came so far goes on."""

    kind: Literal["halving"]
    first: PositiveInt
    factor: Annotated[int, Field(ge=2)]
    rungs: PositiveInt | None = None    # how often a trial is judged; one that is given up near its end saves little,
    #                                     and TPE ranks it behind all that ended

    def build(self) -> optuna.pruners.BasePruner:
        last = float("inf") if self.rungs is None else self.first * self.factor ** (self.rungs - 1)
        return _Halving(self.first, self.factor, last)


class _Halving(optuna.pruners.SuccessiveHalvingPruner):
    """Until the validation `last`."""

    def __init__(self, first: int, factor: int, last: float) -> None:
        super().__init__(min_resource=first, reduction_factor=factor)
        self._last = last

    def prune(self, study: optuna.Study, trial: optuna.trial.FrozenTrial) -> bool:
        return (trial.last_step or 0) <= self._last and super().prune(study, trial)


Choices = Annotated[list[str | int | float | bool | None], Field(min_length=1)]


class TuneConfig(Strict):
    trials: PositiveInt
    seed: NonNegativeInt
    sampler: Literal["tpe", "random"]
    pruner: Annotated[NoPruner | MedianPruner | HalvingPruner, Field(discriminator="kind")]
    space: Annotated[dict[str, Range | Choices], Field(min_length=1)]

    def suggest(self, trial: optuna.Trial) -> list[str]:
        """Overrides, as on the command line."""
        found = []
        for name, given in self.space.items():
            value = given.suggest(trial, name) if isinstance(given, Range) else trial.suggest_categorical(name, given)
            # more digits than anybody could set by hand tell nothing
            shown = "null" if value is None else f"{value:.4g}" if isinstance(value, float) else value
            found.append(f"{name}={shown}")
        return found

    def sampler_of(self, number: int) -> optuna.samplers.BaseSampler:
        """For one trial: what it draws follows from the seed and its number, so that a study may be interrupted."""
        seed = (self.seed * 1_000_003 + number) % 2**32
        if self.sampler == "random":
            return optuna.samplers.RandomSampler(seed)
        return optuna.samplers.TPESampler(seed=seed)


def read(conf: Path, name: str) -> TuneConfig:
    """Raises `UserError` naming file and key."""
    path = conf / "tune" / f"{name}.yaml"
    if not path.is_file():
        known = sorted(file.stem for file in path.parent.glob("*.yaml"))
        raise UserError(f"--space: no {name!r} in {path.parent}; {nearest(name, known)}")
    try:
        values = parse(path.read_text(encoding="utf-8"), str(path))
        return TuneConfig.model_validate(values)
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f"{path}: not YAML: {error}") from None
    except ValidationError as error:
        raise UserError(f"{path}: {explain(error, values)}") from None
