"""conf/tune/NAME.yaml: the search space, the sampler, and the pruner."""

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
    """From `low` to `high`, both included; integers when both are integers."""

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
        """The value that Optuna suggests for the trial."""
        if isinstance(self.low, int) and isinstance(self.high, int) and isinstance(self.step, int | None):
            return trial.suggest_int(name, self.low, self.high, step=self.step or 1, log=self.log)
        return trial.suggest_float(name, self.low, self.high, step=self.step, log=self.log)


class NoPruner(Strict):
    kind: Literal["none"]

    def build(self) -> optuna.pruners.BasePruner:
        return optuna.pruners.NopPruner()


class MedianPruner(Strict):
    """Prunes a trial that is worse than the median of the others at the same validation."""

    kind: Literal["median"]
    trials: NonNegativeInt      # trials that run to their end before any is pruned
    first: PositiveInt          # validations before a trial may be pruned

    def build(self) -> optuna.pruners.BasePruner:
        return optuna.pruners.MedianPruner(self.trials, self.first - 1)


class HalvingPruner(Strict):
    """Asynchronous successive halving (Li et al., 2020): after `first` validations, and each time after `factor` times
    as many, the best 1/`factor` of the trials that came so far continue."""

    kind: Literal["halving"]
    first: PositiveInt
    factor: Annotated[int, Field(ge=2)]
    rungs: PositiveInt | None = None    # how often a trial is judged; pruning one near its end saves little, and TPE
    #                                     ranks it behind all completed ones

    def build(self) -> optuna.pruners.BasePruner:
        last = float("inf") if self.rungs is None else self.first * self.factor ** (self.rungs - 1)
        return _Halving(self.first, self.factor, last)


class _Halving(optuna.pruners.SuccessiveHalvingPruner):
    """Prunes up to the validation `last` only."""

    def __init__(self, first: int, factor: int, last: float) -> None:
        super().__init__(min_resource=first, reduction_factor=factor)
        self._last = last

    def prune(self, study: optuna.Study, trial: optuna.trial.FrozenTrial) -> bool:
        return (trial.last_step or 0) <= self._last and super().prune(study, trial)


Options = Annotated[list[str | int | float | bool | None], Field(min_length=1)]


class TuneConfig(Strict):
    trials: PositiveInt
    seed: NonNegativeInt
    sampler: Literal["tpe", "random"]
    pruner: Annotated[NoPruner | MedianPruner | HalvingPruner, Field(discriminator="kind")]
    space: Annotated[dict[str, Range | Options], Field(min_length=1)]

    def suggest(self, trial: optuna.Trial) -> list[str]:
        """The trial's values as overrides of the command line."""
        found = []
        for name, values in self.space.items():
            if isinstance(values, Range):
                value = values.suggest(trial, name)
            else:
                value = trial.suggest_categorical(name, values)
            found.append(_override(name, value))
        return found

    def first(self) -> list[str]:
        """Overrides with the first value of every name."""
        return [_override(name, values.low if isinstance(values, Range) else values[0])
                for name, values in self.space.items()]

    def sampler_of(self, number: int) -> optuna.samplers.BaseSampler:
        """The sampler of one trial: its draws follow from the seed and the number, so that a study can be resumed."""
        seed = (self.seed * 1_000_003 + number) % 2**32
        if self.sampler == "random":
            return optuna.samplers.RandomSampler(seed)
        return optuna.samplers.TPESampler(seed=seed)


def _override(name: str, value: object) -> str:
    # four digits: as many as anybody would set by hand
    return f"{name}={'null' if value is None else f'{value:.4g}' if isinstance(value, float) else value}"


def read(conf: Path, name: str) -> TuneConfig:
    """The space conf/tune/NAME.yaml; raises `UserError` when there is no such file or it is not valid."""
    path = conf / "tune" / f"{name}.yaml"
    if not path.is_file():
        known = sorted(file.stem for file in path.parent.glob("*.yaml"))
        raise UserError("unknown-name", "--space", f"no {name!r} in {path.parent}; {nearest(name, known)}")
    try:
        values = parse(path.read_text(encoding="utf-8"), str(path))
        return TuneConfig.model_validate(values)
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError("unreadable", path, f"not YAML: {error}") from None
    except ValidationError as error:
        raise UserError("wrong-type", path, explain(error, values)) from None
