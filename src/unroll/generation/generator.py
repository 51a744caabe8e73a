"""Prompts in, texts out: the loop, the rules and the text of a language model."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from unroll.base.errors import UserError
from unroll.data.tokenizers import Tokenizer
from unroll.generation.beam import beam_search
from unroll.generation.engine import Engine, Ids, OnnxEngine
from unroll.generation.loop import Drawing, walk
from unroll.generation.pattern import Pattern
from unroll.generation.rules import permit
from unroll.generation.settings import Settings
from unroll.generation.text import Writing, encode_prompt, special
from unroll.generation.tried import try_pattern
from unroll.models.described import STEP, STEP_INT8, Opened, open_folder

LANES = 64      # samples side by side: more fill a processor no better


@dataclass(frozen=True)
class Sample:
    prompt: str
    text: str                   # what comes after the prompt
    symbols: list[int]          # those drawn, a stop string's among them
    nats: list[float] | None    # the log-probability of each before any rule, where asked for


def open_generator(folder: Path, threads: int = 1, int8: bool = False) -> "Generator":
    """A model folder's own; PyTorch is not imported. Raises `UserError` when it is damaged or does not write texts."""
    return generator_of(open_folder(folder), threads, int8)


def generator_of(opened: Opened, threads: int = 1, int8: bool = False) -> "Generator":
    if opened.writes != "text":
        raise UserError(f"--model: the model's head is {opened.heads}; only language models write texts. Use "
                        "`unroll predict`.")
    if int8 and not (opened.folder / STEP_INT8).is_file():
        raise UserError(f"--int8: {opened.folder} has no {STEP_INT8}; LSTMs alone have one. Leave it out.")
    (tokenizer,) = opened.tokenizers.values()
    return Generator(OnnxEngine(opened.folder / (STEP_INT8 if int8 else STEP), threads), tokenizer)


class Generator:
    """The n-th sample depends on (seed, n) alone, whatever is beside it."""

    def __init__(self, engine: Engine[Any], tokenizer: Tokenizer) -> None:
        self._engine, self.tokenizer = engine, tokenizer
        self._special = special(tokenizer)

    def check(self, settings: Settings) -> None:
        """Raises `UserError` where nothing that is asked for can be written, or a pattern takes too long to prepare."""
        if settings.pattern is not None:
            try_pattern(settings.pattern, self.tokenizer.vocabulary, settings.length, self.tokenizer.end)
        self._pattern(settings)

    def samples(self, prompts: Iterable[str], settings: Settings, seed: int, first: int = 0, lanes: int = LANES,
                replace_unknown: bool = False, with_nats: bool = False) -> Iterator[Sample]:
        """A sample after each prompt, with beams so many after each; numbers count from `first`.

        Raises `UserError` on a symbol that a closed vocabulary lacks, where there is no length, and where the settings
        leave nothing to write.
        """
        if settings.length is None:
            raise UserError("length: only a stream can go on without an end. Give a number.")
        pattern, given = self._pattern(settings), iter(prompts)
        while texts := list(islice(given, lanes)):
            encoded = [encode_prompt(self.tokenizer, text, replace_unknown) for text in texts]
            if settings.beams > 1:
                for text, prompt in zip(texts, encoded, strict=True):
                    yield from self._beams(text, prompt, settings, with_nats)
            else:
                yield from self._group(texts, encoded, settings, [(seed, first + lane) for lane in range(len(texts))],
                                       pattern, with_nats)
            first += len(texts)

    def stream(self, prompt: str, settings: Settings, seed: int, number: int = 0,
               replace_unknown: bool = False) -> Iterator[str]:
        """What comes after the prompt, as it is drawn, in constant memory; joined, the text of `samples`."""
        if settings.beams > 1:
            raise UserError("beams: the best text is known when all are complete. Leave it out to see one written.")
        encoded = encode_prompt(self.tokenizer, prompt, replace_unknown)
        writing, over = self._writing(encoded, settings), np.zeros(1, dtype=bool)
        drawing = self._drawing([encoded], settings, [(seed, number)], self._pattern(settings), with_nats=False)
        for _, symbols, _ in walk(self._engine, [encoded], drawing, over):
            for symbol in symbols.tolist():
                if text := writing.add(symbol):
                    yield text
                over[0] = writing.stopped
        if text := writing.end():
            yield text

    def _group(self, texts: Sequence[str], prompts: Sequence[Ids], settings: Settings,
               seeds: Sequence[tuple[int, int]], pattern: Pattern | None, with_nats: bool) -> Iterator[Sample]:
        writings = [self._writing(prompt, settings) for prompt in prompts]
        parts: list[list[str]] = [[] for _ in prompts]
        drawn: list[list[int]] = [[] for _ in prompts]
        costs: list[list[float]] = [[] for _ in prompts]
        over = np.zeros(len(prompts), dtype=bool)
        drawing = self._drawing(prompts, settings, seeds, pattern, with_nats)
        for lanes, symbols, nats in walk(self._engine, prompts, drawing, over):
            for lane, symbol in zip(lanes.tolist(), symbols.tolist(), strict=True):
                parts[lane].append(writings[lane].add(symbol))
                drawn[lane].append(symbol)
                over[lane] = writings[lane].stopped
            if nats is not None:
                for lane, cost in zip(lanes.tolist(), nats.tolist(), strict=True):
                    costs[lane].append(cost)
        for lane, text in enumerate(texts):
            yield Sample(text, "".join(parts[lane]) + writings[lane].end(), drawn[lane],
                         costs[lane] if with_nats else None)

    def _beams(self, text: str, prompt: Ids, settings: Settings, with_nats: bool) -> Iterator[Sample]:
        assert settings.length is not None
        rule = permit(settings, self._special)
        found = beam_search(self._engine, prompt, settings.beams, settings.length, rule, settings.looks_back,
                            self.tokenizer.end, settings.min_length)
        for beam in found:
            writing = self._writing(prompt, settings)
            written = "".join(map(writing.add, beam.symbols.tolist())) + writing.end()
            yield Sample(text, written, beam.symbols.tolist(), beam.nats if with_nats else None)

    def _drawing(self, prompts: Sequence[Ids], settings: Settings, seeds: Sequence[tuple[int, int]],
                 pattern: Pattern | None, with_nats: bool) -> Drawing:
        return Drawing(settings, prompts, seeds, self._special, self.tokenizer.end, pattern, with_nats)

    def _writing(self, prompt: Ids, settings: Settings) -> Writing:
        return Writing(self.tokenizer, prompt, settings.stop, settings.min_length)

    def _pattern(self, settings: Settings) -> Pattern | None:
        tokenizer = self.tokenizer
        if settings.pattern is not None:
            return Pattern(settings.pattern, tokenizer.vocabulary, settings.length, tokenizer.end)
        if settings.allow is None:
            return None
        if tokenizer.unknown is not None:
            for character, symbol in zip(settings.allow, tokenizer.encode(settings.allow), strict=True):
                if symbol == tokenizer.unknown:
                    raise UserError(f"allow: the model never saw {character!r}, so that it cannot write it. "
                                    "Leave it out.")
        characters = "".join(f"\\x{{{ord(each):x}}}" for each in sorted(set(settings.allow)))
        return Pattern(f"[{characters}]*", tokenizer.vocabulary, settings.length, tokenizer.end, always=True)
