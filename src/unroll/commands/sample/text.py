"""Texts after prompts, printed or written to a file."""

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from itertools import count
from typing import Any, TextIO

from unroll.base.errors import UserError
from unroll.base.files import replacing
from unroll.commands.sample.engine import engine_for
from unroll.commands.sample.given import read_given
from unroll.commands.sample.prompts import Prompt, read_prompts
from unroll.commands.sample.request import Request, advice, check, check_room, rules_of
from unroll.config.sampling import COMMAND, Sampling, settings
from unroll.data.given import Given
from unroll.generation.symbols import encode_prompt
from unroll.generation.text import Generator, Sample
from unroll.models.manifest import ModelFolder

BETWEEN = f"\n{'─' * 72}\n"
Pairs = Sequence[tuple[str, Given]]     # a prompt, and what is read beside it
LONG = 100_000      # symbols, above which a text is written as it is drawn


OPTIONS = frozenset({*settings(), *(field.name for field in fields(Request))})


def sample(opened: ModelFolder, typed: dict[str, Any]) -> None:
    """Print or write `count` texts for each prompt, prompt included; the n-th depends on (seed, n) alone."""
    rules = {name: value for name, value in typed.items() if name in settings()}
    request = Request(**{name: value for name, value in typed.items() if name not in rules})
    chosen = rules_of(COMMAND, rules)
    check(request, chosen, typed)
    engine = engine_for(opened, request.threads, request.int8, request.gpu)
    generator = Generator(engine, opened.tokenizers[opened.spec.main])
    generator.check(chosen)
    with advice():
        if request.interactive:
            (beside,) = read_given(opened, generator.needs, request.given, [Prompt("")])
            _converse(generator, beside, request, chosen)
        else:
            prompts = read_prompts(request.prompts, request.prompts_file)
            given = read_given(opened, generator.needs, request.given, prompts)
            _generate(generator, [prompt.text for prompt in prompts], given, request, chosen)


def _generate(generator: Generator, prompts: Sequence[str], given: Sequence[Given], request: Request,
              rules: Sampling) -> None:
    pairs = [pair for pair in zip(prompts, given, strict=True) for _ in range(request.count)]
    if request.out is None:
        _write(sys.stdout, generator, pairs, request, rules)
        return
    check_room(request.out, len(pairs) * rules.beams * (rules.length or 0))
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
            with advice():
                encode_prompt(generator.tokenizer, line, request.replace_unknown)   # an error names this line alone
            for part in generator.stream(conversation + line, rules, request.seed, turn, request.replace_unknown,
                                         given):
                print(part, end="", flush=True)
                line += part
            conversation += line
        except UserError as error:
            print(f"unroll: {error} [{error.code}]", file=sys.stderr)
        print()
