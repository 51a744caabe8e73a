"""Section `model`: encoders → core → heads."""

from typing import Annotated

from unroll.config.cell import CellSettings
from unroll.config.cells import CELLS
from unroll.config.encoder import EncoderSettings
from unroll.config.encoders import ENCODERS
from unroll.config.head import HeadSettings
from unroll.config.heads import HEADS
from unroll.config.kinds import OneOf
from unroll.config.strict import Name, Strict


class ModelConfig(Strict):
    inputs: dict[Name, Annotated[EncoderSettings, OneOf(ENCODERS)]]
    core: Annotated[CellSettings, OneOf(CELLS)]
    heads: dict[Name, Annotated[HeadSettings, OneOf(HEADS)]]
