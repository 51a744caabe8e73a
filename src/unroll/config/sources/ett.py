from typing import ClassVar, Literal

from pydantic import PositiveInt

from unroll.config.data import ForecastConfig, Input, Sha256, SourceSettings, Target


class Settings(SourceSettings):
    """Hours of an electricity transformer (Zhou et al., 2021), split as published: the first rows, 3 to 1 to 1."""

    FIXED: ClassVar[tuple[Input, Target] | None] = ("real", "forecast")

    kind: Literal["ett"]
    url: str
    sha256: Sha256
    licence: str
    rows: PositiveInt               # from the first on; those after them are not used
    forecast: ForecastConfig
