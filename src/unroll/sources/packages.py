"""Installed packages as labelled data: their docstrings by package, their source by type of token."""

import io
import token as token_types
import tokenize
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unroll.base.errors import UserError
from unroll.config.data import CodeData, PackagesData
from unroll.data.source import Piece, Source
from unroll.sources.docs import docstrings, locate, order
from unroll.sources.in_memory import Items, OneStream
from unroll.sources.splits import cut, deal


def open_packages(config: PackagesData | CodeData) -> tuple[Source, str, str]:
    if isinstance(config, CodeData):
        folder, licence = locate(config.package, config.version)
        text, types = _tagged(folder, config)
        (field,), (tag,) = config.inputs, config.targets
        stream = OneStream({field: text, tag: types}, cut(len(text), config.validation, config.test))
        return stream, f"Python source of {config.package} {config.version}", licence
    pieces: list[Piece] = []
    licences = set()
    (field,), (label,) = config.inputs, config.targets
    for package, version in sorted(config.packages.items()):
        folder, licence = locate(package, version)
        licences.add(licence)
        pieces += [{field: text, label: package} for text in _texts(folder, config)]
    splits = deal(len(pieces), [piece[label] for piece in pieces], config.validation, config.test, config.seed)
    names = ", ".join(f"{name} {version}" for name, version in sorted(config.packages.items()))
    return Items(pieces, splits), f"docstrings of {names}", "; ".join(sorted(licences))


def _texts(folder: Path, config: PackagesData) -> Iterator[str]:
    """Each docstring once, cut; what stands twice would stand on both sides of the split.

    The package's own name is left out: it would be the answer.
    """
    seen = set()
    name = folder.name
    for file in sorted(folder.rglob("*.py")):
        for text in docstrings(file):
            short = " ".join(text.split())[: config.longest].replace(name, "_").replace(name.title(), "_")
            if len(short) >= config.least and short not in seen:
                seen.add(short)
                yield short


def _tagged(folder: Path, config: CodeData) -> tuple[str, NDArray[np.str_]]:
    """Source files in an order by hash, as much as is asked for, and the type of each character's token."""
    texts: list[str] = []
    tags: list[NDArray[np.str_]] = []
    files = sorted(folder.rglob("*.py"), key=lambda file: order(config.seed, file.relative_to(folder)))
    for file in files:
        if sum(map(len, texts)) >= config.longest:
            break
        try:
            text = file.read_text(encoding="utf-8").replace("\r\n", "\n")
            types = token_types_of(text)
        except (UnicodeDecodeError, tokenize.TokenError, SyntaxError):      # a template, a file of another Python
            continue
        texts.append(text)
        tags.append(types)
    if not texts:
        raise UserError(f"data.package: {config.package} has no Python source. Choose another.")
    return "".join(texts)[: config.longest], np.concatenate(tags)[: config.longest]


def token_types_of(text: str) -> NDArray[np.str_]:
    """(characters,) the name of the token that each is part of, as `tokenize` has it; SPACE between tokens."""
    lines = io.StringIO(text).readlines()       # as tokenize has them: a form feed ends none
    starts = np.concatenate([[0], np.cumsum([len(line) for line in lines])])
    types = np.full(len(text), "SPACE", dtype="U12")
    for each in tokenize.generate_tokens(io.StringIO(text).readline):
        (row, column), (last_row, last_column) = each.start, each.end
        if each.type == token_types.ENDMARKER or row > len(lines):
            continue
        last = starts[last_row - 1] + last_column if last_row <= len(lines) else len(text)
        types[starts[row - 1] + column : last] = _NAMES.get(each.type, token_types.tok_name[each.type])
    return types


_NAMES = {token_types.NL: "NEWLINE", token_types.INDENT: "SPACE", token_types.DEDENT: "SPACE"}
