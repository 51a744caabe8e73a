"""The kinds of tokenizers, one file per kind."""

from unroll.base.kinds import Kinds

TOKENIZERS = Kinds("tokenizer", "unroll.config.tokenizers", "unroll.data.tokenizers")
