"""The Python source of an installed package, each character tagged with the type of its token."""

import io
import token as token_types
import tokenize
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unroll.base.errors import UserError
from unroll.config.sources.code import Settings
from unroll.data.source import Source
from unroll.sources.common.access import Access
from unroll.sources.common.memory import OneStream
from unroll.sources.common.packages import find_package, order
from unroll.sources.common.splits import cut

NAMES = {token_types.NL: "NEWLINE", token_types.INDENT: "SPACE", token_types.DEDENT: "SPACE"}


def open_source(settings: Settings, access: Access) -> tuple[Source, str, str]:
    package = find_package(settings.package, settings.version)
    text, types = _tagged(package.folder, settings)
    (field,), (tag,) = settings.inputs, settings.targets
    stream = OneStream({field: text, tag: types}, cut(len(text), settings.validation, settings.test))
    return stream, f"Python source of {settings.package} {settings.version}", package.licence


def _tagged(folder: Path, settings: Settings) -> tuple[str, NDArray[np.str_]]:
    """`longest` characters of source, files in an order by hash, and the type of each character's token."""
    texts: list[str] = []
    tags: list[NDArray[np.str_]] = []
    for file in sorted(folder.rglob("*.py"), key=lambda file: order(settings.seed, file.relative_to(folder))):
        if sum(map(len, texts)) >= settings.longest:
            break
        try:
            text = file.read_text(encoding="utf-8").replace("\r\n", "\n")
            types = token_types_of(text)
        except (UnicodeDecodeError, tokenize.TokenError, SyntaxError):      # a template, a file of another Python
            continue
        texts.append(text)
        tags.append(types)
    if not texts:
        raise UserError("empty", "data.package", f"{settings.package} has no Python source. Choose another.")
    return "".join(texts)[: settings.longest], np.concatenate(tags)[: settings.longest]


def token_types_of(text: str) -> NDArray[np.str_]:
    """(characters,) the name of the token that each is part of, as `tokenize` has it; SPACE between tokens."""
    lines = io.StringIO(text).readlines()       # as tokenize has them: a form feed ends none
    starts = np.concatenate([[0], np.cumsum([len(line) for line in lines])])
    types = np.full(len(text), "SPACE", dtype="U12")
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        (row, column), (last_row, last_column) = token.start, token.end
        if token.type == token_types.ENDMARKER or row > len(lines):
            continue
        last = starts[last_row - 1] + last_column if last_row <= len(lines) else len(text)
        types[starts[row - 1] + column : last] = NAMES.get(token.type, token_types.tok_name[token.type])
    return types
