"""Prompts of the command line, of a file and of standard input."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from unroll.base.errors import UserError


def read_prompts(typed: Sequence[str], file: Path | None) -> list[str]:
    """The prompts typed, then those of the file; without any, an empty one: the data's begin symbol."""
    return [*typed, *([] if file is None else _read(file))] or [""]


def _read(path: Path) -> list[str]:
    """A prompt per line; in `.jsonl` the text under `prompt`, which may hold line breaks. `-` is standard input."""
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
        return lines
    return [_prompt(line, f"{path}, line {number}") for number, line in enumerate(lines, 1)]


def _prompt(line: str, where: str) -> str:
    try:
        prompt = json.loads(line)["prompt"]
    except (ValueError, KeyError, TypeError, RecursionError):
        prompt = None
    if not isinstance(prompt, str):
        raise UserError("unreadable", where, 'not {"prompt": "…"}. Correct the line.')
    return prompt
