"""How text becomes symbols."""

from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from unroll.config.strict import Strict


class ByteTokenizer(Strict):
    """The 256 bytes of UTF-8: lossless on any text, nothing to fit."""

    kind: Literal["byte"]


class CharTokenizer(Strict):
    """The characters of the training split and one unknown symbol."""

    kind: Literal["char"]
    min_count: PositiveInt      # rarer characters become the unknown symbol: too few examples to learn from


class BPETokenizer(Strict):
    """Byte-level byte-pair encoding (Sennrich et al., 2016): lossless, shorter sequences."""

    kind: Literal["bpe"]
    vocab_size: Annotated[int, Field(ge=257, le=65536)]     # the 256 bytes and at least one merge
    min_frequency: PositiveInt                              # pairs seen less often are not merged


class WordTokenizer(Strict):
    """Words, numbers, punctuation marks and line ends of the training split; needs a script with spaces."""

    kind: Literal["word"]
    min_count: PositiveInt      # rarer words become the unknown symbol
    lowercase: bool


Tokenizer = Annotated[
    ByteTokenizer | CharTokenizer | BPETokenizer | WordTokenizer, Field(discriminator="kind")
]
