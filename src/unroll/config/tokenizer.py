"""Section `data.tokenizer`: how text becomes symbols."""

from typing import Annotated

from unroll.config.kinds import OneOf
from unroll.config.strict import Strict
from unroll.config.tokenizers import TOKENIZERS


class TokenizerSettings(Strict):
    """A kind adds `kind: Literal["<kind>"]` and what it alone needs."""

    kind: str


Tokenizer = Annotated[TokenizerSettings, OneOf(TOKENIZERS)]
