"""What the settings of every head have. A kind of head derives from `HeadSettings` or `PooledSettings`."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from unroll.config.pooling import Pooling
from unroll.config.strict import Probability, Strict

# as in `data.targets`, but for `next`, which is a symbol, a category or a vector as its input is
Target = Literal["next_symbol", "next_category", "next_value", "next_labels", "class", "tag", "labels", "value",
                 "values", "forecast"]
PER_SEQUENCE: tuple[Target, ...] = ("class", "value", "forecast")       # of which a sequence has one
Generated = Literal["text", "music", "paths", "rows"]


class HeadSettings(Strict):
    """A kind adds `kind: Literal["<kind>"]` and what it alone needs."""

    kind: str
    dropout: Probability        # of the core's output

    predicts: ClassVar[tuple[Target, ...]]
    measures: ClassVar[Mapping[str, bool]] = {}     # of validations, beside the loss, and whether higher is better
    generates: ClassVar[Generated | None] = None    # what a model can continue with it; music: piano rolls only
    draw: ClassVar[str] = ""    # module whose `Draw` draws a next step beside others, see `unroll.generation.draws`

    report: ClassVar[str] = ""      # a head of another package: the module with its `report`, see evaluation/reports/

    @property
    def per_sequence(self) -> bool:
        """Whether it predicts once for a sequence, rather than at each step."""
        return False

    @property
    def calibrates(self) -> bool:
        """Whether a part of the validation split is kept from choosing the weights, to calibrate predictions."""
        return False

    @property
    def unit(self) -> str:
        """The unit of the mean loss, for readers; {per} is step or sequence."""
        return "as the head defines it"


class PooledSettings(HeadSettings):
    """Settings of heads that predict at each step, or, with a pooling, once for a sequence."""

    pooling: Pooling | None

    report: ClassVar[str] = ""      # a head of another package: the module with its `report`, see evaluation/reports/

    @property
    def per_sequence(self) -> bool:
        return self.pooling is not None
