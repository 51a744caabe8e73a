"""Docstrings by package."""

from typing import ClassVar, Literal

from pydantic import PositiveInt

from unroll.config.data import Input, SplitSettings, SplitShare, Target
from unroll.config.tokenizer import Tokenizer


class Settings(SplitSettings):
    """Docstrings of several installed packages, one an item, labelled with the package that they come from."""

    FIXED: ClassVar[tuple[Input, Target] | None] = ("tokens", "class")

    kind: Literal["packages"]
    packages: dict[str, str]        # name → version
    longest: PositiveInt            # characters of a docstring that are kept
    least: PositiveInt              # shorter docstrings are left out
    tokenizer: Tokenizer
    test: SplitShare
