"""Patients with a fatty liver, and controls."""

from typing import ClassVar, Literal

from pydantic import Field, PositiveInt

from unroll.config.data import Missing, Scale, Sha256, SplitSettings
from unroll.config.strict import Name, Strict

PATIENT = ("age", "male", "weight", "height", "bmi", "case")
FOLDS = 5


class Download(Strict):
    """A table from the network."""

    url: str
    sha256: Sha256


class Settings(SplitSettings):
    """Measurements up to day 0 as events, and who dies within so many days after it (Allen et al., 2018).

    Of those who were followed for less it is unknown. Patients who were matched share a split.
    """

    SEVERAL: ClassVar[bool] = True

    kind: Literal["nafld"]
    columns: dict[Name, list[str]]  # tests of inputs of steps; of others age, male, weight, height, bmi, case, died
    patients: Download
    events: Download
    licence: str
    horizon: PositiveInt            # days
    bin: PositiveInt | None         # days of a step; null: a step for each day with a measurement
    fold: int = Field(ge=1, le=FOLDS)       # of five, the one that is the test split
    scale: Scale
    missing: Missing
    time: str                       # column of the events
