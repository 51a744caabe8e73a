"""How a language model goes on after a prompt."""

import json
import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from itertools import count
from pathlib import Path
from typing import Any, TextIO

from unroll.base.errors import UserError
from unroll.base.files import replacing
from unroll.generation.generator import Generator, generator_of
from unroll.generation.settings import Settings
from unroll.generation.text import encode_prompt
from unroll.models.described import Opened

BETWEEN = f"\n{'─' * 72}\n"
LONG = 100_000      # symbols, from which on a text is written as it is drawn


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is asked for beside the rules."""

    prompts: tuple[str, ...] = ()
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


RULES = {each.name for each in fields(Settings)}
OPTIONS = frozenset(RULES | {each.name for each in fields(Wanted)})


def sample(opened: Opened, given: dict[str, Any]) -> None:
    """Print or write `count` texts for each prompt, prompt included; the n-th depends on (seed, n) alone."""
    rules = {name: value for name, value in given.items() if name in RULES}
    wanted = Wanted(**{name: value for name, value in given.items() if name not in RULES})
    drawn = 1.0 if rules.get("beams", 1) > 1 or rules.get("greedy") else 0.7
    try:
        settings = Settings(**{"length": 500, "temperature": drawn, **rules})
    except UserError as error:      # by the names that were typed
        name, said = str(error).split(":", 1)
        raise UserError(f"--{name.replace('_', '-')}:{said}") from None
    _check(wanted, settings)
    if settings.greedy:
        _check_greedy(given)
    generator = _on_gpu(opened) if wanted.gpu else generator_of(opened, wanted.threads, wanted.int8)
    generator.check(settings)
    if wanted.interactive:
        _converse(generator, wanted, settings)
        return
    each = _prompts(wanted)
    prompts = (prompt for prompt in each for _ in range(wanted.count))
    if wanted.out is None:
        _write(sys.stdout, generator, prompts, wanted, settings)
        return
    _check_room(wanted.out, len(each) * wanted.count * settings.beams * (settings.length or 0))
    with replacing(wanted.out) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        _write(file, generator, prompts, wanted, settings)


def _on_gpu(opened: Opened) -> Generator:
    """The network itself; raises `UserError` where there is no GPU."""
    import torch

    from unroll.generation.torch_engine import TorchEngine
    from unroll.models.folder import load_model

    if not torch.cuda.is_available():
        raise UserError("--gpu: PyTorch finds no GPU here. Leave it out.")
    ((field, tokenizer),) = opened.tokenizers.items()
    return Generator(TorchEngine(load_model(opened.folder).network.cuda(), field), tokenizer)


def _write(file: TextIO, generator: Generator, prompts: Iterable[str], wanted: Wanted, settings: Settings) -> None:
    if wanted.out is not None and wanted.out.suffix == ".jsonl":
        for row in _rows(generator, prompts, wanted, settings):
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
        return
    for number, parts in enumerate(_texts(generator, prompts, wanted, settings)):
        if number:
            file.write(BETWEEN)
        for part in parts:
            file.write(part)
            if wanted.stream:
                file.flush()
    file.write("\n")


def _texts(generator: Generator, prompts: Iterable[str], wanted: Wanted, settings: Settings) -> Iterator[Iterable[str]]:
    """Of each sample its parts, as they come where somebody looks on or it is too long to be held."""
    if settings.beams == 1 and (wanted.stream or settings.length is None or settings.length > LONG):
        for number, prompt in enumerate(prompts):
            yield _parts(generator, prompt, wanted, settings, number)
        return
    for made in generator.samples(prompts, settings, wanted.seed, replace_unknown=wanted.replace_unknown):
        yield made.prompt, made.text


def _parts(generator: Generator, prompt: str, wanted: Wanted, settings: Settings, number: int) -> Iterator[str]:
    parts = generator.stream(prompt, settings, wanted.seed, number, wanted.replace_unknown)
    first = next(parts, "")         # a prompt that is refused is not printed before it is
    yield prompt + first
    yield from parts


def _rows(generator: Generator, prompts: Iterable[str], wanted: Wanted, settings: Settings) -> Iterator[dict[str, Any]]:
    made = generator.samples(prompts, settings, wanted.seed, replace_unknown=wanted.replace_unknown,
                             with_nats=wanted.log_probabilities)
    for each in made:
        row: dict[str, Any] = {"prompt": each.prompt, "text": each.text}
        yield row | ({"symbols": each.symbols, "log_probabilities": each.nats} if wanted.log_probabilities else {})


def _converse(generator: Generator, wanted: Wanted, settings: Settings) -> None:
    """Line after line, each read after all that was said before it."""
    said = ""
    for turn in count():
        try:
            typed = input("› ")
        except EOFError:
            print()
            return
        try:
            encode_prompt(generator.tokenizer, typed, wanted.replace_unknown)   # what is wrong with it, not with all
            for part in generator.stream(said + typed, settings, wanted.seed, turn, wanted.replace_unknown):
                print(part, end="", flush=True)
                typed += part
            said += typed
        except UserError as error:
            print(f"unroll: {error}", file=sys.stderr)
        print()


def _prompts(wanted: Wanted) -> list[str]:
    """Those of the command line, then those of the file; from the data's begin symbol where there are none."""
    prompts = list(wanted.prompts)
    if wanted.prompts_file is not None:
        prompts += _read(wanted.prompts_file)
    return prompts or [""]


def _read(path: Path) -> list[str]:
    """A prompt a line; of `.jsonl` the text under `prompt`, which may hold line breaks. `-` is standard input."""
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: byte {error.start + 1} is not UTF-8. Convert the file.") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}). Give a file with a prompt a line.") from None
    lines = [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")] if text else []
    if not lines:
        raise UserError(f"{path}: empty. Give a file with a prompt a line.")
    if path.suffix.lower() != ".jsonl":
        return lines
    prompts = []
    for number, line in enumerate(lines, 1):
        try:
            prompt = json.loads(line)["prompt"]
        except (ValueError, KeyError, TypeError, RecursionError):
            prompt = None
        if not isinstance(prompt, str):
            raise UserError(f'{path}, line {number}: not {{"prompt": "…"}}. Mend the line.')
        prompts.append(prompt)
    return prompts


def _check(wanted: Wanted, settings: Settings) -> None:
    """Raises `UserError` where options do not go together."""
    if wanted.out is not None and wanted.out.suffix not in (".txt", ".jsonl"):
        raise UserError(f"--out: {wanted.out} ends neither in .txt nor in .jsonl. Give a file that does.")
    if wanted.out is not None and wanted.out.is_dir():
        raise UserError(f"--out: {wanted.out} is a folder. Give a file.")
    if wanted.threads > (os.cpu_count() or 1):
        raise UserError(f"--threads: {wanted.threads} are more than this machine's {os.cpu_count()} processors. Give "
                        "fewer.")
    if wanted.gpu and wanted.int8:
        raise UserError("--int8: goes with a processor. Leave it or --gpu out.")
    if wanted.log_probabilities and (wanted.out is None or wanted.out.suffix != ".jsonl"):
        raise UserError("--log-probabilities: goes into a file. Add -o FILE.jsonl.")
    if settings.length is None and not (wanted.stream and wanted.out is None):
        raise UserError("--length: a text without an end can only be looked at. Add --stream, and no -o.")
    shown = "--interactive" if wanted.interactive else "--stream" if wanted.stream else ""
    if shown and settings.beams > 1:
        raise UserError(f"--beams: the best text is known when all are complete. Leave {shown} out.")
    if wanted.count > 1 and settings.beams > 1:
        raise UserError("--count: a beam search comes to the same each time. Leave it out, or raise --beams.")
    if wanted.interactive and settings.length is None:
        raise UserError("--length: an answer that has no end cannot be answered. Give a number.")
    if wanted.interactive and (wanted.prompts or wanted.prompts_file or wanted.out or wanted.count > 1):
        raise UserError("--interactive: reads prompts from the terminal and answers each once. Leave other prompts, "
                        "--count and -o out.")


def _check_greedy(given: dict[str, Any]) -> None:
    """Raises `UserError` on what would have no effect."""
    for name in ("temperature", "top_k", "top_p", "min_p", "count"):
        if name in given:
            raise UserError(f"--{name.replace('_', '-')}: means nothing beside --greedy, the most probable symbol each "
                            "time. Leave one of them out.")


def _check_room(out: Path, symbols: int) -> None:
    folder = out.parent
    if not folder.is_dir():
        raise UserError(f"--out: no folder {folder}. Make it first.")
    free = shutil.disk_usage(folder).free
    if symbols > free:      # a symbol is a byte or more
        raise UserError(f"--out: {symbols:,} symbols do not fit on {folder}, which has {free:,} bytes free. Ask for "
                        "fewer, or write elsewhere.")
