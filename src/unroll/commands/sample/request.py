"""What is asked of a language model on the command line, besides the sampling settings."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unroll.base.errors import UserError
from unroll.config.sampling import Interface, Sampling, option, sampling


@dataclass(frozen=True, kw_only=True)
class Request:
    """The options besides the sampling settings."""

    prompts: tuple[str, ...] = ()
    given: tuple[str, ...] = ()
    prompts_file: Path | None = None
    count: int = 1
    seed: int = 1
    out: Path | None = None
    stream: bool = False
    interactive: bool = False
    log_probabilities: bool = False
    replace_unknown: bool = False
    threads: int = 1
    int8: bool = False
    gpu: bool = False


def check(request: Request, rules: Sampling, typed: dict[str, Any]) -> None:
    """Raises `UserError` where options contradict each other or would have no effect."""
    out = request.out
    if out is not None and out.suffix not in (".txt", ".jsonl"):
        raise UserError("unsupported", "--out", f"{out} ends neither in .txt nor in .jsonl. Give a file that does.")
    if out is not None and out.is_dir():
        raise UserError("not-a-file", "--out", f"{out} is a folder. Give a file.")
    if request.threads > (os.cpu_count() or 1):
        raise UserError("out-of-range", "--threads", f"{request.threads} are more than this machine's "
                        f"{os.cpu_count()} processors. Give fewer.")
    if request.log_probabilities and (out is None or out.suffix != ".jsonl"):
        raise UserError("missing-value", "--log-probabilities", "are written to a file. Add -o FILE.jsonl.")
    if rules.length is None and not (request.stream and out is None):
        raise UserError("conflict", "--length", "a text without an end can only be watched. Add --stream, and no -o.")
    check_beams(rules, request.count, "--interactive" if request.interactive else "--stream" if request.stream else "")
    if request.interactive and rules.length is None:
        raise UserError("conflict", "--length", "an answer without an end cannot be answered. Give a number.")
    if request.interactive and (request.prompts or request.prompts_file or out or request.count > 1):
        raise UserError("conflict", "--interactive", "reads prompts from the terminal and answers each once. Leave "
                        "other prompts, --count and -o out.")
    check_greedy(rules, typed)


def rules_of(interface: Interface, rules: dict[str, Any]) -> Sampling:
    """With a temperature only where something is drawn, if none is given."""
    drawn = rules.get("beams", 1) == 1 and not rules.get("greedy")
    return sampling(interface, **({} if drawn else {"temperature": 1.0}) | rules)


def check_beams(rules: Sampling, count: int, watched: str) -> None:
    """Raises `UserError` where `watched`, the option that prints as it is drawn, or a count stands beside beams."""
    if watched and rules.beams > 1:
        raise UserError("conflict", "--beams", f"the best text is known only when all are complete. Leave {watched} "
                        "out.")
    if count > 1 and rules.beams > 1:
        raise UserError("no-effect", "--count", "a beam search finds the same texts each time. Leave it out, or raise "
                        "--beams.")


def check_greedy(rules: Sampling, typed: dict[str, Any]) -> None:
    """Raises `UserError` on options for what is drawn, where nothing is."""
    for name in ("temperature", "top_k", "top_p", "min_p", "count") if rules.greedy else ():
        if name in typed:
            raise UserError("no-effect", option(name), "has no effect beside --greedy, the most probable symbol each "
                            "time. Leave one of them out.")


def check_room(out: Path, symbols: int) -> None:
    """Raises `UserError` where so many symbols cannot be written."""
    folder = out.parent
    if not folder.is_dir():
        raise UserError("missing-file", "--out", f"no folder {folder}. Make it first.")
    free = shutil.disk_usage(folder).free
    if symbols > free:      # a symbol is a byte or more
        raise UserError("disk", "--out", f"{symbols:,} symbols do not fit on {folder}, which has {free:,} bytes free. "
                        "Ask for fewer, or write elsewhere.")


@contextmanager
def advice() -> Iterator[None]:
    """Add the option that helps to errors about unknown symbols."""
    try:
        yield
    except UserError as error:
        if error.code != "unknown-symbol" or not error.where.startswith("prompt"):
            raise
        raise UserError(error.code, error.where, f"{error.text} --replace-unknown reads it as unknown.") from None
