"""Texts after prompts, printed or written to a file."""

import json
import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from itertools import count
from pathlib import Path
from typing import Any, TextIO

from unroll.base.errors import UserError
from unroll.base.files import replacing
from unroll.commands.sample.given import read_given
from unroll.commands.sample.prompts import Prompt, read_prompts
from unroll.config.sampling import COMMAND, Sampling, option, sampling, settings
from unroll.data.given import Given
from unroll.generation.symbols import encode_prompt
from unroll.generation.text import Generator, Sample, generator_of
from unroll.models.manifest import STEP_INT8, ModelFolder

BETWEEN = f"\n{'─' * 72}\n"
Pairs = Sequence[tuple[str, Given]]     # a prompt, and what is read beside it
LONG = 100_000      # symbols, above which a text is written as it is drawn


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


OPTIONS = frozenset({*settings(), *(field.name for field in fields(Request))})


def sample(opened: ModelFolder, typed: dict[str, Any]) -> None:
    """Print or write `count` texts for each prompt, prompt included; the n-th depends on (seed, n) alone."""
    rules = {name: value for name, value in typed.items() if name in settings()}
    request = Request(**{name: value for name, value in typed.items() if name not in rules})
    if rules.get("beams", 1) > 1 or rules.get("greedy"):        # nothing is drawn
        rules.setdefault("temperature", 1.0)
    chosen = sampling(COMMAND, **rules)
    _check(request, chosen, typed)
    generator = _on_gpu(opened) if request.gpu else _on_cpu(opened, request)
    generator.check(chosen)
    with _advice():
        if request.interactive:
            (beside,) = read_given(opened, generator.needs, request.given, [Prompt("")])
            _converse(generator, beside, request, chosen)
        else:
            prompts = read_prompts(request.prompts, request.prompts_file)
            given = read_given(opened, generator.needs, request.given, prompts)
            _generate(generator, [prompt.text for prompt in prompts], given, request, chosen)


def _on_cpu(opened: ModelFolder, request: Request) -> Generator:
    if request.int8 and not (opened.folder / STEP_INT8).is_file():
        raise UserError("unsupported", "--int8", f"{opened.folder} has no {STEP_INT8}, which only LSTMs have. Leave it "
                        "out.")
    return generator_of(opened, request.threads, request.int8)


def _on_gpu(opened: ModelFolder) -> Generator:
    import torch

    from unroll.generation.torch_engine import load_engine

    if not torch.cuda.is_available():
        raise UserError("no-device", "--gpu", "PyTorch finds no GPU here. Leave it out.")
    (tokenizer,) = opened.tokenizers.values()
    return Generator(load_engine(opened.folder, device="cuda"), tokenizer)


def _generate(generator: Generator, prompts: Sequence[str], given: Sequence[Given], request: Request,
              rules: Sampling) -> None:
    pairs = [pair for pair in zip(prompts, given, strict=True) for _ in range(request.count)]
    if request.out is None:
        _write(sys.stdout, generator, pairs, request, rules)
        return
    _check_room(request.out, len(pairs) * rules.beams * (rules.length or 0))
    with replacing(request.out) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        _write(file, generator, pairs, request, rules)


def _write(file: TextIO, generator: Generator, pairs: Pairs, request: Request, rules: Sampling) -> None:
    if request.out is not None and request.out.suffix == ".jsonl":
        for row in _rows(generator, pairs, request, rules):
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
        return
    for number, parts in enumerate(_texts(generator, pairs, request, rules)):
        if number:
            file.write(BETWEEN)
        for part in parts:
            file.write(part)
            if request.stream:
                file.flush()
    file.write("\n")


def _texts(generator: Generator, pairs: Pairs, request: Request, rules: Sampling) -> Iterator[Iterable[str]]:
    """The parts of each sample, as they are drawn when streaming, or when it is too long for memory."""
    if rules.beams == 1 and (request.stream or rules.length is None or rules.length > LONG):
        for number, (prompt, given) in enumerate(pairs):
            yield _parts(generator, prompt, given, request, rules, number)
        return
    for made in _samples(generator, pairs, request, rules):
        yield made.prompt, made.text


def _samples(generator: Generator, pairs: Pairs, request: Request, rules: Sampling) -> Iterator[Sample]:
    return generator.samples([prompt for prompt, _ in pairs], rules, request.seed, with_nats=request.log_probabilities,
                             replace_unknown=request.replace_unknown, given=[given for _, given in pairs])


def _parts(generator: Generator, prompt: str, given: Given, request: Request, rules: Sampling, number: int
           ) -> Iterator[str]:
    parts = generator.stream(prompt, rules, request.seed, number, request.replace_unknown, given)
    first = next(parts, "")         # raises before a prompt that is refused has been printed
    yield prompt + first
    yield from parts


def _rows(generator: Generator, pairs: Pairs, request: Request, rules: Sampling) -> Iterator[dict[str, Any]]:
    for made in _samples(generator, pairs, request, rules):
        row: dict[str, Any] = {"prompt": made.prompt, "text": made.text}
        yield row | ({"symbols": made.symbols, "log_probabilities": made.nats} if request.log_probabilities else {})


def _converse(generator: Generator, given: Given, request: Request, rules: Sampling) -> None:
    """Answer line by line; each line is read after the whole conversation so far."""
    conversation = ""
    for turn in count():
        try:
            line = input("› ")
        except EOFError:
            print()
            return
        try:
            with _advice():
                encode_prompt(generator.tokenizer, line, request.replace_unknown)   # an error names this line alone
            for part in generator.stream(conversation + line, rules, request.seed, turn, request.replace_unknown,
                                         given):
                print(part, end="", flush=True)
                line += part
            conversation += line
        except UserError as error:
            print(f"unroll: {error} [{error.code}]", file=sys.stderr)
        print()


@contextmanager
def _advice() -> Iterator[None]:
    """Add the option that helps to errors about unknown symbols."""
    try:
        yield
    except UserError as error:
        if error.code != "unknown-symbol" or not error.where.startswith("prompt"):
            raise
        raise UserError(error.code, error.where, f"{error.text} --replace-unknown reads it as unknown.") from None


def _check(request: Request, rules: Sampling, typed: dict[str, Any]) -> None:
    """Raises `UserError` where options contradict each other or would have no effect."""
    out = request.out
    if out is not None and out.suffix not in (".txt", ".jsonl"):
        raise UserError("unsupported", "--out", f"{out} ends neither in .txt nor in .jsonl. Give a file that does.")
    if out is not None and out.is_dir():
        raise UserError("not-a-file", "--out", f"{out} is a folder. Give a file.")
    if request.threads > (os.cpu_count() or 1):
        raise UserError("out-of-range", "--threads", f"{request.threads} are more than this machine's "
                        f"{os.cpu_count()} processors. Give fewer.")
    if request.gpu and request.int8:
        raise UserError("conflict", "--int8", "runs on a processor. Leave it or --gpu out.")
    if request.log_probabilities and (out is None or out.suffix != ".jsonl"):
        raise UserError("missing-value", "--log-probabilities", "are written to a file. Add -o FILE.jsonl.")
    if rules.length is None and not (request.stream and out is None):
        raise UserError("conflict", "--length", "a text without an end can only be watched. Add --stream, and no -o.")
    watched = "--interactive" if request.interactive else "--stream" if request.stream else ""
    if watched and rules.beams > 1:
        raise UserError("conflict", "--beams", f"the best text is known only when all are complete. Leave {watched} "
                        "out.")
    if request.count > 1 and rules.beams > 1:
        raise UserError("no-effect", "--count", "a beam search finds the same texts each time. Leave it out, or raise "
                        "--beams.")
    if request.interactive and rules.length is None:
        raise UserError("conflict", "--length", "an answer without an end cannot be answered. Give a number.")
    if request.interactive and (request.prompts or request.prompts_file or out or request.count > 1):
        raise UserError("conflict", "--interactive", "reads prompts from the terminal and answers each once. Leave "
                        "other prompts, --count and -o out.")
    for name in ("temperature", "top_k", "top_p", "min_p", "count") if rules.greedy else ():
        if name in typed:
            raise UserError("no-effect", option(name), "has no effect beside --greedy, the most probable symbol each "
                            "time. Leave one of them out.")


def _check_room(out: Path, symbols: int) -> None:
    folder = out.parent
    if not folder.is_dir():
        raise UserError("missing-file", "--out", f"no folder {folder}. Make it first.")
    free = shutil.disk_usage(folder).free
    if symbols > free:      # a symbol is a byte or more
        raise UserError("disk", "--out", f"{symbols:,} symbols do not fit on {folder}, which has {free:,} bytes free. "
                        "Ask for fewer, or write elsewhere.")
