"""Text ↔ symbols. Fitted on the training split alone; `byte` and `bpe` give back any text exactly."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from unroll.base.errors import UserError
from unroll.data.tokenizers.base import Ids, Tokenizer
from unroll.data.tokenizers.bpe import BPE
from unroll.data.tokenizers.characters import Bytes, Chars
from unroll.data.tokenizers.words import UNSPACED, WORD, Words

if TYPE_CHECKING:       # to sample, nothing of a configuration is needed
    from unroll.config.tokens import BPETokenizer, ByteTokenizer, CharTokenizer, WordTokenizer

__all__ = ["UNSPACED", "WORD", "Bytes", "Chars", "Ids", "Tokenizer", "Words", "fit", "restore"]


def fit(
    config: "ByteTokenizer | CharTokenizer | BPETokenizer | WordTokenizer", items: bool, pieces: Iterable[str]
) -> Tokenizer:
    """A tokenizer for one stream, or for short `items`."""
    from unroll.config.tokens import BPETokenizer, ByteTokenizer, CharTokenizer, WordTokenizer

    match config:
        case ByteTokenizer():
            return Bytes(items)
        case CharTokenizer():
            return Chars.train(config, items, pieces)
        case BPETokenizer():
            return BPE.train(config, items, pieces)
        case WordTokenizer():
            return Words.train(config, items, pieces)


def restore(state: dict[str, Any]) -> Tokenizer:
    """A tokenizer from its `state`."""
    match state["kind"]:
        case "byte":
            return Bytes(state["items"])
        case "char":
            return Chars(state["alphabet"], state["items"])
        case "bpe":
            return BPE(state["model"], state["items"])
        case "word":
            return Words(state["words"], state["lowercase"], state["items"])
    raise UserError(f"tokenizer.json: unknown kind {state['kind']!r}; it was written by another version.")
