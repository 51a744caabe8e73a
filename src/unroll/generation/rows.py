"""Sequences of several fields: at each step every field is drawn from its own head, then all are read.

What is drawn at one step is independent of each other given all steps before: a head sees none of the other draws.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, repeat
from typing import Any

import numpy as np

from unroll.config.head import HeadSettings
from unroll.config.sampling import Sampling, SettingError
from unroll.data.given import Given
from unroll.data.spec import Spec
from unroll.data.tokenizers import Tokenizer
from unroll.generation.beam import beam_search
from unroll.generation.draw import Drawn, Lanes, Values, draw_of
from unroll.generation.engine import Engine, Steps
from unroll.generation.engines import open_engine
from unroll.generation.loop import walk
from unroll.generation.one_field import Records, needs, reader_for, records
from unroll.generation.pattern_check import check
from unroll.generation.row_beams import RowCandidates
from unroll.generation.row_drawing import RowDrawing
from unroll.generation.symbol_draw import SymbolDraw
from unroll.models.manifest import ModelFolder

Rows = Mapping[str, Values]     # of each drawn field (T, …), as the network reads it
NOTHING: Given = {}
LANES = 64                      # sequences side by side
OF_TEXTS = ("allow", "pattern")     # settings that need a text among the fields
OF_SYMBOLS = ("top_k", "top_p", "min_p", "repetition_penalty", "no_repeat_ngram", "beams")


@dataclass(frozen=True)
class RowSample:
    rows: Rows      # those of the prompt, and the new ones
    primed: int     # how many are the prompt's
    given: Given    # what the model read beside them


class RowGenerator:
    """The n-th sequence depends on (seed, n) alone, whatever is beside it."""

    def __init__(self, engine: Engine[Any], spec: Spec, heads: Mapping[str, HeadSettings],
                 tokenizers: Mapping[str, Tokenizer]) -> None:
        self._engine = engine
        self.fields = {name: Drawn(spec.inputs[name], heads[name], tokenizers.get(name)) for name in spec.drawn}
        self._draws = {name: draw_of(drawn.head) for name, drawn in self.fields.items()}
        self.needs = needs(engine)
        self.steps = [name for name in self.needs if name not in engine.context]

    @property
    def rules(self) -> list[str]:
        """The settings that apply beside length, temperature and greedy, but those that say how symbols repeat."""
        symbols = any(draw.symbols for draw in self._draws.values())
        return ["top_k", "top_p", "min_p"] * symbols + ["pattern"] * (len(self._texts) == 1)

    @property
    def _texts(self) -> list[Tokenizer]:
        return [drawn.tokenizer for drawn in self.fields.values() if drawn.tokenizer is not None]

    def check(self, settings: Sampling) -> None:
        """Raises `SettingError` on settings that the fields do not have."""
        symbols, texts = [name for name, draw in self._draws.items() if draw.symbols], self._texts
        numbers = [name for name in self.fields if name not in symbols]
        for names, why in ((("stop",), "rows of fields are no text"),
                           (OF_TEXTS if len(texts) != 1 else (), f"of the model's fields {len(texts)} are texts"),
                           (OF_SYMBOLS if not symbols else (), "no field of the model has symbols"),
                           (("beams",) if numbers else (), f"{', '.join(numbers)} has no most probable value")):
            used = [name for name in names if getattr(settings, name) not in (None, (), 1)]
            if used:
                raise SettingError("unsupported", used, f"{why}. Leave "
                                   f"{', '.join(f'{{{name}}}' for name in used)} out.")
        for tokenizer in texts:
            check(settings, tokenizer)

    def samples(self, prompts: Iterable[Rows], settings: Sampling, seed: int, first: int = 0, lanes: int = LANES,
                given: Iterable[Given] | None = None) -> Iterator[RowSample]:
        """A sequence after each prompt of T ≥ 0 rows, which it begins with, or as many as there are beams.

        They are numbered from `first`. A sequence ends at `length` new rows, or where the field that ends a sequence
        says so. `given` is for each prompt what else the model reads, see `needs`.
        """
        self.check(settings)
        if settings.length is None:
            raise SettingError("missing-value", ["length"], "only what is streamed may have no end. Give a number.")
        waiting, beside = iter(prompts), repeat(NOTHING) if given is None else iter(given)
        while group := [self._begun(prompt) for prompt in islice(waiting, lanes)]:
            reads = list(islice(beside, len(group)))
            if settings.beams > 1:
                for prompt, read in zip(group, reads, strict=True):
                    yield from self._beams(prompt, read, settings, settings.length)
            else:
                parts = [[prompt[1:]] for prompt in group]
                for lane, row in self._walk(group, reads, settings, seed, first):
                    parts[lane].append(row)
                for lane, rows in enumerate(map(np.concatenate, parts)):
                    yield RowSample(self._fields_of(rows), len(group[lane]) - 1, reads[lane])
            first += len(group)

    def stream(self, prompt: Rows, settings: Sampling, seed: int, number: int = 0, given: Given = NOTHING
               ) -> Iterator[Rows]:
        """The rows after a prompt one by one, {field: (1, …)}, in constant memory; those of `samples`."""
        self.check(settings)
        if settings.beams > 1:
            raise SettingError("conflict", ["beams"], "the best sequence is known only when all are complete, so that "
                               "it cannot be streamed. Leave {beams} out.")
        for _, row in self._walk([self._begun(prompt)], [given], settings, seed, number):
            yield self._fields_of(row)

    def _walk(self, begun: Sequence[Steps], given: Sequence[Given], settings: Sampling, seed: int, first: int
              ) -> Iterator[tuple[int, Steps]]:
        """The lane and the record (1,) of each new row, step by step."""
        drawing = RowDrawing({name: self._draws[name](drawn, Lanes(
            settings, [rows[name] for rows in begun], [(seed, first + lane, number) for lane in range(len(begun))]
        )) for number, (name, drawn) in enumerate(self.fields.items())}, settings.length)
        reader = reader_for(self._engine, begun, given, settings.length, Records)
        for lanes, rows, _ in walk(reader, begun, drawing, np.zeros(len(begun), bool)):
            yield from zip(lanes.tolist(), rows[:, None], strict=True)

    def _beams(self, prompt: Steps, given: Given, settings: Sampling, length: int) -> Iterator[RowSample]:
        fields = {name: (draw, self.fields[name]) for name, draw in self._draws.items() if issubclass(draw, SymbolDraw)}
        reader = reader_for(self._engine, [prompt], [given], length, Records)
        for beam in beam_search(reader, prompt, settings.beams, length, RowCandidates(fields, prompt, settings)):
            yield RowSample(self._fields_of(np.concatenate([prompt[1:], beam.steps])), len(prompt) - 1, given)

    def _fields_of(self, rows: Values) -> Rows:
        return {name: rows[name] for name in self.fields}

    def _begun(self, prompt: Rows) -> Steps:
        """The records of a prompt behind what stands before its first step."""
        return records({name: self._field_begun(name, prompt) for name in self.fields})

    def _field_begun(self, name: str, prompt: Rows) -> Values:
        """A field of a prompt behind what stands before its first step."""
        field = self.fields[name].field
        shape = {"tokens": (), "categories": (1,), "real": (field.size,)}[field.kind]
        kind = np.float32 if field.kind == "real" else np.int64
        rows = np.full((1, *shape), field.begin, kind)
        return np.concatenate([rows, prompt[name].astype(kind)]) if name in prompt else rows


def open_rows(model: ModelFolder, threads: int = 1) -> RowGenerator:
    return row_generator(open_engine(model, threads), model)


def row_generator(engine: Engine[Any], model: ModelFolder) -> RowGenerator:
    return RowGenerator(engine, model.spec, model.config.heads, model.tokenizers)
