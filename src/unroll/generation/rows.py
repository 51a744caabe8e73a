"""Sequences of several fields: at each step every field is drawn from its own head, then all are read.

What is drawn at one step is independent of each other given all steps before: a head sees none of the other draws.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.config.head import HeadSettings
from unroll.config.sampling import Sampling, SettingError
from unroll.data.given import Given
from unroll.data.spec import Spec
from unroll.data.tokenizers import Tokenizer
from unroll.generation.draw import BaseDraw, Drawn, Lanes, Values, draw_of
from unroll.generation.engine import Engine, Ids
from unroll.generation.engines import open_engine
from unroll.generation.loop import Symbols, walk
from unroll.generation.one_field import Records, needs, reader_for, records
from unroll.generation.rules import Logits
from unroll.models.manifest import ModelFolder

Rows = Mapping[str, Values]     # of each drawn field (T, …), as the network reads it
NOTHING: Given = {}
LANES = 64                      # sequences side by side
OF_TEXTS = ("allow", "pattern", "stop", "beams")        # settings that rows have not
OF_SYMBOLS = ("top_k", "top_p", "min_p", "repetition_penalty", "no_repeat_ngram")


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

    def check(self, settings: Sampling) -> None:
        """Raises `SettingError` on settings that rows do not have."""
        if settings.length is None:
            raise SettingError("unsupported", ["length"], "only a text may have no end. Give a number.")
        symbols = any(draw.symbols for draw in self._draws.values())
        for names, why in ((OF_TEXTS, "rows of fields are no text"),
                           (OF_SYMBOLS if not symbols else (), "no field of the model has symbols")):
            used = [name for name in names if getattr(settings, name) not in (None, (), 1)]
            if used:
                raise SettingError("unsupported", used, f"{why}. Leave "
                                   f"{', '.join(f'{{{name}}}' for name in used)} out.")

    def samples(self, prompts: Iterable[Rows], settings: Sampling, seed: int, first: int = 0, lanes: int = LANES,
                given: Iterable[Given] | None = None) -> Iterator[RowSample]:
        """A sequence after each prompt of T ≥ 0 rows, which it begins with; they are numbered from `first`.

        It ends at `length` new rows, or where the field that ends a sequence says so. `given` is for each prompt what
        else the model reads, see `needs`.
        """
        self.check(settings)
        waiting, beside = iter(prompts), repeat(NOTHING) if given is None else iter(given)
        while group := list(islice(waiting, lanes)):
            yield from self._group(group, list(islice(beside, len(group))), settings, seed, first)
            first += len(group)

    def _group(self, prompts: Sequence[Rows], given: Sequence[Given], settings: Sampling, seed: int, first: int
               ) -> Iterator[RowSample]:
        begun = [{name: self._begun(name, prompt) for name in self.fields} for prompt in prompts]
        drawing = RowDrawing({name: self._draws[name](drawn, Lanes(
            settings, [fields[name] for fields in begun], [(seed, first + lane, number) for lane in range(len(prompts))]
        )) for number, (name, drawn) in enumerate(self.fields.items())}, settings.length)
        read = [records(fields) for fields in begun]
        reader = reader_for(self._engine, read, given, settings.length, Records)
        parts: list[list[Values]] = [[rows[1:]] for rows in read]
        for lanes, rows, _ in walk(reader, read, drawing, np.zeros(len(prompts), bool)):
            for lane, row in zip(lanes.tolist(), rows[:, None], strict=True):
                parts[lane].append(row)
        for lane, rows in enumerate(map(np.concatenate, parts)):
            yield RowSample({name: rows[name] for name in self.fields}, len(read[lane]) - 1, given[lane])

    def _begun(self, name: str, prompt: Rows) -> Values:
        """A field of a prompt behind what stands before its first step."""
        field = self.fields[name].field
        shape = {"tokens": (), "categories": (1,), "real": (field.size,)}[field.kind]
        kind = np.float32 if field.kind == "real" else np.int64
        rows = np.full((1, *shape), field.begin, kind)
        return np.concatenate([rows, prompt[name].astype(kind)]) if name in prompt else rows


class RowDrawing:
    """A step of all fields at once, as `walk` draws it."""

    def __init__(self, draws: Mapping[str, BaseDraw], length: int | None) -> None:
        self._draws, self._left = draws, length

    def __call__(self, lanes: Ids, logits: Logits) -> tuple[Values, Symbols, NDArray[np.bool_] | None]:
        drawn, on = {}, np.ones(len(lanes), bool)
        outputs: Values = logits        # records
        for name, draw in self._draws.items():
            drawn[name], continues = draw(lanes, outputs[name])
            on = on if continues is None else on & continues
        rows = records(drawn)
        kept = Symbols(lanes[on], rows[on], None)
        self._left = None if self._left is None else self._left - 1
        return rows, kept, on & (self._left != 0)


def open_rows(model: ModelFolder, threads: int = 1) -> RowGenerator:
    return RowGenerator(open_engine(model, threads), model.spec, model.config.heads, model.tokenizers)
