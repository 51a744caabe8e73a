"""The kinds of tokenizers, a file each."""

from unroll.base.kinds import Kinds

TOKENIZERS = Kinds("tokenizer", "unroll.config.tokenizers", "unroll.data.tokenizers")
