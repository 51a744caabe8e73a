"""A tokenizer that was fitted before, taken over as it is or with more symbols."""

import json
from collections.abc import Iterable
from pathlib import Path

from unroll.base.errors import UserError
from unroll.base.files import sha256
from unroll.config.tokenizers.reused import Settings
from unroll.data.tokenizers import restore
from unroll.data.tokenizers.base import Tokenizer


class Fitted:
    """Gives a tokenizer of the kind that was saved, and so is none itself."""

    @classmethod
    def fit(cls, settings: Settings, items: bool, pieces: Iterable[str]) -> Tokenizer:
        """Raises `UserError` when the file is missing, damaged or another, and where there is nothing to extend."""
        path = Path(settings.path)
        if not path.is_file():
            raise UserError("missing-file", "data.tokenizer.path", f"no such file {settings.path!r}. Give that of a "
                            "model folder, such as artifacts/model/text.tokenizer.json.")
        if sha256(path) != settings.sha256:
            reason = "is another file" if settings.sha256 else "set it to its digest, so that another one is noticed"
            raise UserError("stale" if settings.sha256 else "missing-value", "data.tokenizer.sha256",
                            f"{path.name} {reason}: {sha256(path)}.")
        try:
            state = json.loads(path.read_text(encoding="utf-8"))
            known = restore({**state, "items": items}, path)
        except (ValueError, KeyError, TypeError):
            raise UserError("unreadable", path, "no tokenizer's file. Give one that a model folder has.") from None
        return known if settings.extend is None else known.extended(pieces, settings.extend)

    @classmethod
    def count(cls, text: str) -> int:
        raise UserError("conflict", "data.tokenizer", "nothing can be known of single symbols before the other one is "
                        "read. Choose its kind.")
