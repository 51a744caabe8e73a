from typing import ClassVar, Literal

from unroll.config.head import Generated, HeadSettings, Target


class Settings(HeadSettings):
    """Softmax over the next symbol.

    The loss is the cross-entropy and not a setting, since bits per character are computed from it.
    """

    kind: Literal["next_token"]
    tied: bool      # output weights are the input's embedding (Press & Wolf, 2017; Inan et al., 2017)

    predicts: ClassVar[tuple[Target, ...]] = ("next_symbol",)
    generates: ClassVar[Generated | None] = "text"
    draw: ClassVar[str] = "unroll.generation.draws.next_token"

    @property
    def unit(self) -> str:
        return "nats per symbol"
