"""Rows of several fields in the user's words: prompts in, sequences and tables of them out; no PyTorch."""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from unroll.data.encoders import scaler_of
from unroll.data.given import Given, shown
from unroll.data.spec import InputSpec, Spec
from unroll.data.tokenizers import Tokenizer
from unroll.data.tokenizers.base import Decoder
from unroll.generation.rows import Rows, RowSample
from unroll.prediction.sequences import SequenceReader

Decoders = Mapping[str, Decoder]
ROW_DIGITS = 15     # of prompts; what is drawn has six


class RowPrompt(NamedTuple):
    name: str       # of the sequence that it begins
    values: Mapping[str, Any]       # as they were given: steps, and in a file what stands for the whole sequence
    rows: Rows      # as the network reads them
    given: Given    # what the model reads beside it


def prompt_of(name: str, values: Any, spec: Spec, reads: SequenceReader, given: Given, where: str) -> RowPrompt:
    """{field: values of T steps} of every drawn field; an empty mapping or text has no step."""
    empty = isinstance(values, str | Mapping) and not values
    read = {} if empty else reads.steps(where, values, spec.drawn)
    return RowPrompt(name, read, {field: reads.encode(field, value) for field, value in read.items()}, given)


def values_of(sample: RowSample, prompt: RowPrompt, spec: Spec, tokenizers: Mapping[str, Tokenizer]) -> dict[str, Any]:
    """As `predict` takes them: a text, names (T,) or numbers (T, F) of each field."""
    found: dict[str, Any] = {}
    for name, values in sample.rows.items():
        field = spec.inputs[name]
        if field.kind == "tokens":
            found[name] = tokenizers[name].decode(values)
        elif field.kind == "categories":
            found[name] = np.array([cell for cell, in shown(field, values)], str)
        else:
            found[name] = np.array(_cells(spec, name, sample, prompt, None, None), float).reshape(-1, field.width)
    return found


def decoders_of(tokenizers: Mapping[str, Tokenizer]) -> Decoders:
    """What makes cells of symbols, one after another."""
    return {name: tokenizer.decoder(np.zeros(0, np.int64)) for name, tokenizer in tokenizers.items()}


def rows_table(samples: Sequence[RowSample], prompts: Sequence[RowPrompt], spec: Spec,
               tokenizers: Mapping[str, Tokenizer], decoders: Decoders | None = None) -> pd.DataFrame:
    """A row per step: the sequence's name, and the columns that the model was trained on.

    These are the columns of the fields that are drawn, of other inputs of steps, and of inputs of whole sequences,
    which all rows of a sequence share. `decoders` have read the steps before those of the only sample.
    """
    lengths = [len(next(iter(sample.rows.values()))) for sample in samples]
    columns: dict[str, Any] = {}
    for name, field in spec.inputs.items():
        if field.per == "own":
            continue
        rows = [*chain.from_iterable(_cells(spec, name, sample, prompt, tokenizers.get(name), decoders)
                                     for sample, prompt in zip(samples, prompts, strict=True))]
        for at, column in enumerate(_columns(name, field)):
            columns[column] = [row[at] for row in rows]
    sequence = (spec.reading.table and spec.reading.table.series) or "sequence"
    while sequence in columns:      # a field's
        sequence += "_"
    return pd.DataFrame({sequence: np.repeat(np.array([prompt.name for prompt in prompts], object), lengths),
                         **columns})


def cells_of(sample: RowSample, prompt: RowPrompt, spec: Spec, tokenizers: Mapping[str, Tokenizer]
             ) -> dict[str, Sequence[Any]]:
    """The cells of each column that is drawn."""
    found = dict[str, Sequence[Any]]()
    for name in spec.drawn:
        rows = _cells(spec, name, sample, prompt, tokenizers.get(name), None)
        found |= {column: [row[at] for row in rows] for at, column in enumerate(_columns(name, spec.inputs[name]))}
    return found


def repeated(prompts: Sequence[RowPrompt], count: int) -> list[RowPrompt]:
    """Each of them `count` times, with names of their own."""
    return [prompt if count == 1 else prompt._replace(name=f"{prompt.name}/{number}") for prompt in prompts
            for number in range(1, count + 1)]


def sample_of(prompt: RowPrompt, spec: Spec) -> RowSample:
    """The rows of a prompt alone."""
    steps = len(next(iter(prompt.rows.values()), ()))
    given = {field: values[:steps] if spec.inputs[field].per == "step" else values
             for field, values in prompt.given.items()}
    empty = {name: np.zeros((0, spec.inputs[name].size)) for name in spec.drawn}
    return RowSample(prompt.rows or empty, steps, given)


def row_of(name: str, row: Rows, at: int, prompt: RowPrompt, spec: Spec) -> tuple[RowSample, RowPrompt]:
    """The row at a place of a sequence that is drawn row by row, and what stands beside it."""
    given = {field: values[at : at + 1] if spec.inputs[field].per == "step" else values
             for field, values in prompt.given.items()}
    whole = {field: values for field, values in prompt.values.items() if spec.inputs[field].per != "step"}
    return RowSample(row, 0, given), RowPrompt(name, whole, {}, given)


def new(given: Sequence[Given]) -> list[RowPrompt]:
    """No step, and for each sequence what the model reads beside it; they are numbered."""
    return [RowPrompt(str(number), {}, {}, own) for number, own in enumerate(given, 1)]


def _cells(spec: Spec, name: str, sample: RowSample, prompt: RowPrompt, tokenizer: Tokenizer | None,
           decoders: Decoders | None) -> list[list[Any]]:
    """A field's cells (L, ·) of a sequence of L steps; of a text, what each symbol adds."""
    field = spec.inputs[name]
    length = len(next(iter(sample.rows.values())))
    if field.per == "sequence":
        return [[*prompt.values.get(name, shown(field, sample.given[name]))]] * length
    values = sample.rows[name] if name in sample.rows else sample.given[name][:length]
    if name in sample.rows and spec.targets[name].kind == "labels":
        return [*np.rint(scaler_of(field).decode(values)).astype(int).tolist()]
    if field.kind == "real" and name in prompt.values:      # a prompt is kept to its last digit
        return [*prompt.values[name].tolist(), *shown(field, values[sample.primed :])]
    if tokenizer is not None and tokenizer.joint:       # words, with nothing between them
        return [[tokenizer.decode(values[at : at + 1])] for at in range(len(values))]
    if tokenizer is not None:
        decoder = (decoders or decoders_of({name: tokenizer}))[name]
        return [[decoder.add(symbol)] for symbol in values.tolist()]
    return [*shown(field, values)]


def _columns(name: str, field: InputSpec) -> Sequence[str]:
    if field.names is not None:
        return field.names
    return [name] if field.width == 1 else [f"{name}_{number}" for number in range(1, field.width + 1)]
