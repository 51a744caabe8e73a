"""Texts after prompts: the loop, the sampling rules and the tokenizer of a language model."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, repeat
from pathlib import Path
from typing import Any

import numpy as np

from unroll.config.sampling import Sampling, SettingError
from unroll.data.given import Given
from unroll.data.tokenizers import Tokenizer
from unroll.generation.beam import Symbols, beam_search
from unroll.generation.engine import Engine, Ids
from unroll.generation.engines import open_engine
from unroll.generation.loop import Drawing, walk
from unroll.generation.one_field import needs, reader_for
from unroll.generation.pattern import Pattern, pattern_of
from unroll.generation.pattern_check import check
from unroll.generation.rules import permit
from unroll.generation.symbols import Transcript, encode_prompt, never_drawn
from unroll.models.manifest import ModelFolder, open_folder

NOTHING: Given = {}
LANES = 64      # samples side by side: more fill a processor no better


@dataclass(frozen=True)
class Sample:
    prompt: str
    text: str                   # what comes after the prompt
    symbols: list[int]          # all that were drawn, those of a stop string included
    nats: list[float] | None    # the model's log-probability of each, before any rule, where asked for
    given: Given = field(default_factory=dict)      # what the model read beside it


def open_generator(folder: Path, threads: int = 1) -> "Generator":
    """The generator of a model folder whose head generates text; raises `UserError` when the folder is damaged."""
    return generator_of(open_folder(folder), threads)


def generator_of(model: ModelFolder, threads: int = 1, int8: bool = False) -> "Generator":
    return Generator(open_engine(model, threads, int8), model.tokenizers[model.spec.main])


class Generator:
    """The n-th sample depends on (seed, n) alone, whatever is beside it."""

    def __init__(self, engine: Engine[Any], tokenizer: Tokenizer) -> None:
        self._engine, self.tokenizer = engine, tokenizer
        self._never = never_drawn(tokenizer)
        self.needs = needs(engine)
        self.steps = [name for name in self.needs if name not in engine.context]

    def check(self, settings: Sampling) -> None:
        """Raises `SettingError` where nothing that is asked for can be written, or a pattern takes too long."""
        check(settings, self.tokenizer)

    def samples(self, prompts: Iterable[str], settings: Sampling, seed: int, first: int = 0, lanes: int = LANES,
                replace_unknown: bool = False, with_nats: bool = False, given: Iterable[Given] | None = None
                ) -> Iterator[Sample]:
        """A sample after each prompt, or as many as there are beams; samples are numbered from `first`.

        `given` is for each prompt what else the model reads, see `needs`.
        Raises `UserError` on a symbol that a closed vocabulary lacks, without a length, and where the settings leave
        nothing to write.
        """
        if settings.length is None:
            raise SettingError("missing-value", ["length"], "only a streamed text may have no end. Give a number.")
        pattern, waiting = pattern_of(settings, self.tokenizer), iter(prompts)
        beside = repeat(NOTHING) if given is None else iter(given)
        while texts := list(islice(waiting, lanes)):
            reads = list(islice(beside, len(texts)))
            encoded = [encode_prompt(self.tokenizer, text, replace_unknown) for text in texts]
            if settings.beams > 1:
                for text, prompt, read in zip(texts, encoded, reads, strict=True):
                    yield from self._beams(text, prompt, read, settings, with_nats)
            else:
                seeds = [(seed, first + lane) for lane in range(len(texts))]
                yield from self._group(texts, encoded, reads, settings, seeds, pattern, with_nats)
            first += len(texts)

    def stream(self, prompt: str, settings: Sampling, seed: int, number: int = 0,
               replace_unknown: bool = False, given: Given = NOTHING) -> Iterator[str]:
        """What comes after the prompt, as it is drawn, in constant memory; joined, the text of `samples`."""
        if settings.beams > 1:
            raise SettingError("conflict", ["beams"], "the best text is known only when all are complete, so that it "
                               "cannot be streamed. Leave {beams} out.")
        encoded = encode_prompt(self.tokenizer, prompt, replace_unknown)
        transcript, over = self._transcript(encoded, settings), np.zeros(1, dtype=bool)
        pattern = pattern_of(settings, self.tokenizer)
        drawing = self._drawing([encoded], settings, [(seed, number)], pattern, with_nats=False)
        reader = reader_for(self._engine, [encoded], [given], settings.length)
        for _, symbols, _ in walk(reader, [encoded], drawing, over):
            for symbol in symbols.tolist():
                if text := transcript.add(symbol):
                    yield text
                over[0] = transcript.stopped
        if text := transcript.end():
            yield text

    def _group(self, texts: Sequence[str], prompts: Sequence[Ids], given: Sequence[Given], settings: Sampling,
               seeds: Sequence[tuple[int, int]], pattern: Pattern | None, with_nats: bool) -> Iterator[Sample]:
        transcripts = [self._transcript(prompt, settings) for prompt in prompts]
        parts: list[list[str]] = [[] for _ in prompts]
        drawn: list[list[int]] = [[] for _ in prompts]
        costs: list[list[float]] = [[] for _ in prompts]
        over = np.zeros(len(prompts), dtype=bool)
        drawing = self._drawing(prompts, settings, seeds, pattern, with_nats)
        reader = reader_for(self._engine, prompts, given, settings.length)
        for lanes, symbols, nats in walk(reader, prompts, drawing, over):
            for lane, symbol in zip(lanes.tolist(), symbols.tolist(), strict=True):
                parts[lane].append(transcripts[lane].add(symbol))
                drawn[lane].append(symbol)
                over[lane] = transcripts[lane].stopped
            if nats is not None:
                for lane, cost in zip(lanes.tolist(), nats.tolist(), strict=True):
                    costs[lane].append(cost)
        for lane, text in enumerate(texts):
            yield Sample(text, "".join(parts[lane]) + transcripts[lane].end(), drawn[lane],
                         costs[lane] if with_nats else None, given[lane])

    def _beams(self, text: str, prompt: Ids, given: Given, settings: Sampling, with_nats: bool) -> Iterator[Sample]:
        assert settings.length is not None
        expand = Symbols(prompt, settings.beams, permit(settings, self._never), settings.looks_back,
                         self.tokenizer.end, settings.min_length)
        reader = reader_for(self._engine, [prompt], [given], settings.length)
        for beam in beam_search(reader, prompt, settings.beams, settings.length, expand):
            transcript = self._transcript(prompt, settings)
            written = "".join(map(transcript.add, beam.steps.tolist())) + transcript.end()
            yield Sample(text, written, beam.steps.tolist(), beam.nats if with_nats else None, given)

    def _drawing(self, prompts: Sequence[Ids], settings: Sampling, seeds: Sequence[tuple[int, int]],
                 pattern: Pattern | None, with_nats: bool) -> Drawing:
        return Drawing(settings, prompts, seeds, self._never, self.tokenizer.end, pattern, with_nats)

    def _transcript(self, prompt: Ids, settings: Sampling) -> Transcript:
        return Transcript(self.tokenizer, prompt, settings.stop, settings.min_length)
