"""Prompts of the command line, of a file and of standard input."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from unroll.base.errors import UserError


class Prompt(NamedTuple):
    text: Any                           # a text, or {field: values} of the rows of several fields
    given: Mapping[str, Any] = {}       # what a model reads beside it, by input
    where: str = ""                     # file and line of `given`; "" for a typed prompt


def read_prompts(typed: Sequence[str], file: Path | None) -> list[Prompt]:
    """The prompts typed, then those of the file; without any, an empty one: the data's begin symbol."""
    return [*map(Prompt, typed), *([] if file is None else read_file(file))] or [Prompt("")]


def read_file(path: Path, kind: type = str) -> list[Prompt]:
    """A prompt per line; in `.jsonl` the text under `prompt`, which may hold line breaks. `-` is standard input.

    Prompts of another `kind` than texts are in `.jsonl` alone, where "" is none.
    """
    if kind is not str and path.suffix.lower() != ".jsonl":
        raise UserError("unsupported", path, 'no .jsonl. Give one with {"prompt": {…}, "given": {…}} on each line.')
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError("unreadable", path, f"byte {error.start + 1} is not UTF-8. Convert the file.") from None
    except OSError as error:
        raise UserError("missing-file", path, f"cannot be read ({error.strerror}). Give a file with a prompt per "
                        "line.") from None
    lines = [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")] if text else []
    if not lines:
        raise UserError("empty", path, "has no prompts. Give a file with a prompt per line.")
    if path.suffix.lower() != ".jsonl":
        return [Prompt(line) for line in lines]
    return [_prompt(line, f"{path}, line {number}", kind) for number, line in enumerate(lines, 1)]


def _prompt(line: str, where: str, kind: type) -> Prompt:
    try:
        row = json.loads(line)
        prompt, given = row["prompt"], row.get("given", {})
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        prompt, given = None, {}
    if not (prompt == "" or isinstance(prompt, kind)) or not isinstance(given, dict):
        shown = '"…"' if kind is str else "{…}"
        raise UserError("unreadable", where, f'not {{"prompt": {shown}}}, or with "given": {{…}}. Correct the line.')
    return Prompt(prompt, given, f"{where}, given")
