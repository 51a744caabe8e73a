"""Section `data.tokenizer`: how text becomes symbols."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import Discriminator, Tag

from unroll.config.kinds import OneOf
from unroll.config.strict import Name, Strict
from unroll.config.tokenizers import TOKENIZERS


class TokenizerSettings(Strict):
    """A kind adds `kind: Literal["<kind>"]` and what it alone needs."""

    kind: str

    def within(self, project: Path) -> "TokenizerSettings":
        """With paths that begin at the project's folder, where there are any."""
        return self


Tokenizer = Annotated[TokenizerSettings, OneOf(TOKENIZERS)]


def _one_or_several(value: Any) -> str:
    several = isinstance(value, dict) and value and not isinstance(value.get("kind"), str)
    return "by_field" if several and all(isinstance(part, dict | Strict) for part in value.values()) else "one"


# one for all texts of the data, each fitted alone, or one for each by name
Tokenizers = Annotated[Annotated[Tokenizer, Tag("one")] | Annotated[dict[Name, Tokenizer], Tag("by_field")],
                       Discriminator(_one_or_several)]


def tokenizer_of(settings: TokenizerSettings | dict[str, TokenizerSettings] | None, field: str) \
        -> TokenizerSettings | None:
    """The tokenizer of one field."""
    return settings.get(field) if isinstance(settings, dict) else settings
