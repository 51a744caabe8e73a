from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from unroll.config.tokenizer import TokenizerSettings

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Settings(TokenizerSettings):
    """The tokenizer of another model or of other prepared data, so that a symbol is the same there and here."""

    kind: Literal["reused"]
    path: str                       # of its file, text.tokenizer.json in a model folder, from the project's folder on
    sha256: Digest | None           # of that file, so that another vocabulary is other data
    extend: PositiveInt | None      # symbols that training has so often and it lacks are added; null: they are unknown

    def within(self, project: Path) -> "Settings":
        return self.model_copy(update={"path": str(project / self.path)})
