"""Docstrings by package."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, PositiveInt

from unroll.config.data import Input, SplitSettings, SplitShare, Target
from unroll.config.tokenizer import Tokenizer


class Settings(SplitSettings):
    """Docstrings of several installed packages, one an item, labelled with the package that they come from."""

    FIXED: ClassVar[tuple[Input, Target] | None] = ("tokens", "class")

    kind: Literal["packages"]
    packages: dict[str, str]        # name → version
    longest: PositiveInt            # characters of a docstring that are kept
    least: PositiveInt              # shorter docstrings are left out
    # how many times as many docstrings the largest package has in training as the smallest; null: as many as there are
    imbalance: Annotated[float, Field(gt=1)] | None
    tokenizer: Tokenizer
    test: SplitShare
