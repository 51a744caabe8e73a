"""Sequences of several fields, new or after those of a file: a table."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pandas as pd

from unroll.base.errors import UserError
from unroll.base.files import replacing
from unroll.commands.sample.engine import engine_for
from unroll.commands.sample.given import read_given
from unroll.commands.sample.prompts import Prompt, read_file
from unroll.commands.sample.request import check_beams, check_greedy, rules_of
from unroll.config.sampling import COMMAND_NUMBERS, Sampling
from unroll.data.spec import Spec
from unroll.data.tokenizers import Tokenizer
from unroll.generation.rows import RowGenerator, row_generator
from unroll.models.manifest import ModelFolder
from unroll.prediction.inputs import read
from unroll.prediction.rows import (
    ROW_DIGITS,
    RowPrompt,
    decoders_of,
    new,
    prompt_of,
    repeated,
    row_of,
    rows_table,
    sample_of,
)
from unroll.prediction.sequences import SequenceReader
from unroll.prediction.table_files import check_name, write_table


@dataclass(frozen=True, kw_only=True)
class Request:
    prompts: tuple[str, ...] = ()       # files
    prompts_file: Path | None = None
    given: tuple[str, ...] = ()
    out: Path | None = None
    count: int = 1                      # sequences after each prompt
    seed: int = 1
    threads: int = 1
    stream: bool = False
    int8: bool = False
    gpu: bool = False


RULES = frozenset({*COMMAND_NUMBERS.defaults})
OPTIONS = frozenset({*RULES, *(field.name for field in fields(Request))})


def sample(model: ModelFolder, typed: dict[str, Any]) -> None:
    """Write or print a table of `count` sequences after each one in the files, or from nothing."""
    rules = rules_of(COMMAND_NUMBERS, {name: value for name, value in typed.items() if name in RULES})
    request = Request(**{name: value for name, value in typed.items() if name not in RULES})
    _check(request, rules)
    check_greedy(rules, typed)
    generator = row_generator(engine_for(model, request.threads, request.int8, request.gpu), model)
    generator.check(rules)
    prompts = _prompts(model, generator, request)
    if request.stream:
        for number, prompt in enumerate(prompts):
            _print(generator, model, prompt, rules, request.seed, number)
        return
    samples = list(generator.samples([prompt.rows for prompt in prompts], rules, request.seed,
                                     given=[prompt.given for prompt in prompts]))
    table = rows_table(samples, repeated(prompts, rules.beams), model.spec, model.tokenizers)
    if request.out is None:
        write_table(table, sys.stdout, ".csv", ROW_DIGITS)
        return
    with replacing(request.out) as temporary:
        write_table(table, temporary, request.out.suffix, ROW_DIGITS)
    print(f"sample: {len(samples):,} sequence{'s' * (len(samples) > 1)} of {len(table):,} rows → {request.out}")


def _check(request: Request, rules: Sampling) -> None:
    if request.out is not None:
        check_name(request.out)
        if request.out.is_dir():
            raise UserError("not-a-file", "--out", f"{request.out} is a folder. Give a file.")
        if request.out.resolve() in [Path(name).resolve() for name in request.prompts]:
            raise UserError("conflict", "--out", f"{request.out} is read and would be overwritten. Give another file.")
        if request.stream:
            raise UserError("conflict", "--stream", "prints each row as it is drawn. Leave it or -o out.")
    if rules.length is None and not request.stream:
        raise UserError("conflict", "--length", "a sequence without an end can only be watched. Add --stream.")
    if request.prompts_file is not None and request.prompts:
        raise UserError("conflict", "--prompts", "there are files of sequences, too. Leave one of them out.")
    check_beams(rules, request.count, "--stream" if request.stream else "")


def _print(generator: RowGenerator, model: ModelFolder, prompt: RowPrompt, rules: Sampling, seed: int, number: int
           ) -> None:
    """A sequence row by row, below the columns' names where it is the first one."""
    rows = generator.stream(prompt.rows, rules, seed, number, prompt.given)
    first = next(rows, None)        # raises before anything is printed
    decoders = decoders_of(model.tokenizers)
    begun = rows_table([sample_of(prompt, model.spec)], [prompt], model.spec, model.tokenizers, decoders)
    _write(begun, number == 0)
    at = len(begun)
    while first is not None:
        own, beside = row_of(prompt.name, first, at, prompt, model.spec)
        _write(rows_table([own], [beside], model.spec, model.tokenizers, decoders), False)
        first, at = next(rows, None), at + 1


def _write(table: pd.DataFrame, header: bool) -> None:
    write_table(table, sys.stdout, ".csv", ROW_DIGITS, header)
    sys.stdout.flush()


def _prompts(model: ModelFolder, generator: RowGenerator, request: Request) -> list[RowPrompt]:
    if request.prompts_file is not None:
        return repeated(_of_lines(model, generator, request), request.count)
    if generator.steps:
        raise UserError("missing-value", "--prompts", f"the model also reads {', '.join(generator.steps)} at each "
                        'step, those to come included. Give a .jsonl with {"prompt": {…}, "given": {…}} on each line.')
    if not request.prompts:
        return new(read_given(model, generator.needs, request.given, [Prompt("")]) * request.count)
    if request.given:
        raise UserError("conflict", "--given", "the files have what the model reads beside their sequences. Leave it "
                        "or the files out.")
    return repeated([prompt for name in request.prompts
                     for prompt in read_sequences(Path(name), model.spec, model.tokenizers)], request.count)


def _of_lines(model: ModelFolder, generator: RowGenerator, request: Request) -> list[RowPrompt]:
    """The prompts of a file that has the steps to come of what is read beside them, too."""
    assert request.prompts_file is not None
    lines, reads = read_file(request.prompts_file, dict), SequenceReader(model.spec, model.tokenizers, None)
    given = read_given(model, generator.needs, request.given, lines)
    return [prompt_of(str(number), line.text, model.spec, reads, own, f"{request.prompts_file}, line {number}")
            for number, (line, own) in enumerate(zip(lines, given, strict=True), 1)]


def read_sequences(path: Path, spec: Spec, tokenizers: Mapping[str, Tokenizer]) -> Sequence[RowPrompt]:
    """The sequences of a file that `unroll predict` reads, and what it has beside them."""
    reads = SequenceReader(spec, tokenizers, None)
    main = tokenizers.get(spec.main)
    inputs = read(path, spec) if main is None else read(path, spec, main.count)
    prompts = []
    for name, values in zip(inputs.names, inputs.sequences, strict=True):
        where = f"{path}: sequence {name}"
        fields = values if len(spec.inputs) > 1 else {spec.main: values}
        beside = {other: fields[other] for other in spec.inputs if other not in spec.drawn}
        prompt = prompt_of(name, {field: fields[field] for field in spec.drawn}, spec, reads,
                           reads.beside(where, beside, [*beside]), where)
        prompts.append(prompt._replace(values={**prompt.values, **beside}))
    return prompts
