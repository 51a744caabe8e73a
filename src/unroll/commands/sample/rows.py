"""Sequences of several fields, new or after those of a file: a table."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from unroll.base.errors import UserError
from unroll.base.files import replacing
from unroll.commands.sample.given import read_given
from unroll.commands.sample.prompts import Prompt
from unroll.config.sampling import COMMAND_NUMBERS, sampling
from unroll.data.spec import Spec
from unroll.data.tokenizers import Tokenizer
from unroll.generation.rows import OF_TEXTS, open_rows
from unroll.models.manifest import ModelFolder
from unroll.prediction.inputs import read
from unroll.prediction.rows import ROW_DIGITS, RowPrompt, new, prompt_of, repeated, rows_table
from unroll.prediction.sequences import SequenceReader
from unroll.prediction.table_files import check_name, write_table


@dataclass(frozen=True, kw_only=True)
class Request:
    prompts: tuple[str, ...] = ()       # files
    given: tuple[str, ...] = ()
    out: Path | None = None
    count: int = 1                      # sequences after each prompt
    seed: int = 1
    threads: int = 1


RULES = frozenset({*COMMAND_NUMBERS.defaults} - {*OF_TEXTS})
OPTIONS = frozenset({*RULES, *(field.name for field in fields(Request))})


def sample(model: ModelFolder, typed: dict[str, Any]) -> None:
    """Write or print a table of `count` sequences after each one in the files, or from nothing."""
    rules = sampling(COMMAND_NUMBERS, **{name: value for name, value in typed.items() if name in RULES})
    request = Request(**{name: value for name, value in typed.items() if name not in RULES})
    if request.out is not None:
        check_name(request.out)
        if request.out.is_dir():
            raise UserError("not-a-file", "--out", f"{request.out} is a folder. Give a file.")
        if request.out.resolve() in [Path(name).resolve() for name in request.prompts]:
            raise UserError("conflict", "--out", f"{request.out} is read and would be overwritten. Give another file.")
    generator = open_rows(model, request.threads)
    generator.check(rules)
    if generator.steps:
        raise UserError("unsupported", "--model", f"the model also reads {', '.join(generator.steps)} at each step, "
                        "those to come included. Give them in Python: model.generate([\"\"], given={name: values}).")
    prompts = _prompts(model, generator.needs, request)
    samples = list(generator.samples([prompt.rows for prompt in prompts], rules, request.seed,
                                     given=[prompt.given for prompt in prompts]))
    table = rows_table(samples, prompts, model.spec, model.tokenizers)
    if request.out is None:
        write_table(table, sys.stdout, ".csv", ROW_DIGITS)
        return
    with replacing(request.out) as temporary:
        write_table(table, temporary, request.out.suffix, ROW_DIGITS)
    print(f"sample: {len(samples):,} sequence{'s' * (len(samples) > 1)} of {len(table):,} rows → {request.out}")


def _prompts(model: ModelFolder, needs: list[str], request: Request) -> list[RowPrompt]:
    if not request.prompts:
        return new(read_given(model, needs, request.given, [Prompt("")]) * request.count)
    if request.given:
        raise UserError("conflict", "--given", "the files have what the model reads beside their sequences. Leave it "
                        "or the files out.")
    return repeated([prompt for name in request.prompts
                     for prompt in _read(Path(name), model.spec, model.tokenizers)], request.count)


def _read(path: Path, spec: Spec, tokenizers: Mapping[str, Tokenizer]) -> list[RowPrompt]:
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
