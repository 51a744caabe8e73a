"""Data sets of the UCR and UEA archives."""

from typing import Literal

from unroll.config.data import ForecastConfig, Scale, SplitSettings, SplitShare


class Settings(SplitSettings):
    """A data set that aeon ships, with the archive's own training and test split."""

    kind: Literal["aeon"]
    dataset: Literal["GunPoint", "JapaneseVowels", "BasicMotions", "Covid3Month", "Airline", "Solar"]
    test: SplitShare | None              # of a series, which has no split of its own
    scale: Scale
    forecast: ForecastConfig | None
