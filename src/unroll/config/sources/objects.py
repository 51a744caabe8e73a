"""Documented objects of packages."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field, PositiveInt

from unroll.config.data import FUTURE, Input, Scale, SplitSettings, SplitShare, Target
from unroll.config.tokenizer import Tokenizer


class Settings(SplitSettings):
    """Modules, classes, functions and methods of several installed packages that have a docstring, one an item.

    `inputs` and `targets` name those that are used, of `INPUTS` and `TARGETS`.
    """

    SEVERAL: ClassVar[bool] = True
    INPUTS: ClassVar[Mapping[str, Input]] = {"text": "tokens", "numbers": "static_real"}
    TARGETS: ClassVar[Mapping[str, Target]] = {"text": "next", "package": "class", "kind": "class",
                                               "parameters": "value"}

    kind: Literal["objects"]
    packages: Annotated[dict[str, str], Field(min_length=1)]    # name → version
    longest: PositiveInt            # characters of a docstring that are kept
    least: PositiveInt              # shorter docstrings are left out
    tokenizer: Tokenizer
    scale: Scale
    labelled: Annotated[float, Field(gt=0, le=1)]   # share of the training items whose targets are all known
    unlabelled: list[str]           # targets that the other training items lack
    test: SplitShare

    def _fixed(self) -> str | None:
        for section, used, offered in (("inputs", self.inputs, self.INPUTS), ("targets", self.targets, self.TARGETS)):
            for name, kind in used.items():
                if offered.get(name) != kind:
                    listed = ", ".join(f"{name}: {kind}" for name, kind in offered.items())
                    return f"{section}.{name}: objects have the {section} {listed}, not {name}: {kind}"
        return self._labels()

    def _labels(self) -> str | None:
        known = [name for name, kind in self.targets.items() if kind not in FUTURE]
        for name in self.unlabelled:
            if name not in known:
                return f"unlabelled: {name} is no target that could be unknown; these are {', '.join(known) or 'none'}"
        if self.labelled < 1 and not self.unlabelled:
            return "labelled: no effect, because unlabelled names no target; name one, or set it to 1"
        return None
