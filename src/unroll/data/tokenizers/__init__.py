"""Text ↔ symbols, a kind a file. Fitted on the training split alone; `byte` and `bpe` give back any text exactly.

The module of a kind has a class `Fitted`, a `Tokenizer`, or one whose `fit` gives a `Tokenizer` of another kind.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from unroll.base.errors import UserError
from unroll.config.tokenizer import TokenizerSettings
from unroll.config.tokenizers import TOKENIZERS
from unroll.data.tokenizers.base import Ids, Tokenizer

__all__ = ["Ids", "Tokenizer", "fit", "restore", "tokenizer_class"]


def tokenizer_class(kind: str) -> type[Tokenizer]:
    found: type[Tokenizer] = TOKENIZERS.code_of(kind, "Fitted")
    return found


def fit(settings: TokenizerSettings, items: bool, pieces: Iterable[str]) -> Tokenizer:
    """A tokenizer of texts that come in pieces: of one long stream, or of short `items`."""
    return tokenizer_class(settings.kind).fit(settings, items, pieces)


def restore(state: dict[str, Any], where: str | Path = "tokenizer.json") -> Tokenizer:
    """A tokenizer from its `state`; raises `UserError` on a kind of another version."""
    if state["kind"] not in TOKENIZERS.own:
        text = f"a tokenizer of kind {state['kind']!r}, written by another version; this one has " \
               f"{', '.join(TOKENIZERS.own)}."
        raise UserError("wrong-version", where, text)
    return tokenizer_class(state["kind"]).restore(state)
