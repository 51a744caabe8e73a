"""Section `data`: where sequences come from, how they are cut into symbols, what is held out."""

from typing import Annotated, Literal

from pydantic import Field, PositiveInt, StringConstraints

from unroll.config.strict import Seed, Strict

Share = Annotated[float, Field(gt=0, lt=0.5)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]


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


Tokenizer = Annotated[ByteTokenizer | CharTokenizer | BPETokenizer, Field(discriminator="kind")]


class _Text(Strict):
    inputs: dict[Name, Literal["tokens"]]       # field names; `model.inputs` has the same
    targets: dict[Name, Literal["next"]]        # predict the field's next symbol; `model.heads` has the same
    tokenizer: Tokenizer
    validation: Share                           # share of the text that chooses the best weights
    test: Share                                 # share of the text that only `evaluate` reads
    seed: Seed                                   # of the hash that orders and splits


class DocsData(_Text):
    """The docstrings of an installed package: English, mathematics and code without a download."""

    kind: Literal["docs"]
    package: str
    version: str                # the text is the version's; another one is refused
    unit: Literal["stream"]


class TextData(_Text):
    """The user's own file, folder or glob below `data/raw/`."""

    kind: Literal["text"]
    path: str
    unit: Literal["stream", "line"]     # one long text, or short items such as names
    encoding: str
    licence: str


class UrlData(_Text):
    """A file fetched once, checked against its SHA-256 and cached outside the repository."""

    kind: Literal["url"]
    url: str
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    unit: Literal["stream", "line"]
    encoding: str
    licence: str


DataConfig = Annotated[DocsData | TextData | UrlData, Field(discriminator="kind")]
