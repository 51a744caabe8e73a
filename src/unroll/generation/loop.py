"""The loop: prompts are read in one pass, then every lane reads what it drew."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from unroll.config.sampling import Sampling, SettingError
from unroll.generation.engine import Ids, Steps
from unroll.generation.one_field import Reader
from unroll.generation.pattern import Pattern
from unroll.generation.rules import Logits, draw, lane_generator, log_probabilities, permit, shape

S = TypeVar("S")
STRETCH = 4096      # symbols of a prompt that are read at a time
BLOCK = 256         # draws of a lane that are made at a time


class Symbols(NamedTuple):
    """The symbols, or the records of several fields, that some lanes drew and keep."""

    lanes: Ids                                  # (n,)
    symbols: Steps                              # (n,)
    nats: NDArray[np.float64] | None            # (n,) log-probabilities before any rule, where asked for


class Draws(Protocol):
    """What draws a step for each lane from a model's outputs."""

    def __call__(self, lanes: Ids, logits: Logits) -> tuple[Steps, Symbols, NDArray[np.bool_] | None]:
        """Outputs (n, …) → steps (n,), those that are kept, and which lanes (n,) continue (None: all)."""


class Drawing:
    """Draws a symbol for each lane at every step; a lane's draws follow from its own seed alone."""

    def __init__(self, settings: Sampling, prompts: Sequence[Ids], seeds: Sequence[tuple[int, ...]],
                 forbidden: Sequence[int], end: int | None, pattern: Pattern | None, with_nats: bool) -> None:
        """`forbidden` symbols are never drawn; `end` closes a lane and is left out; `seeds` are of `lane_generator`."""
        self._settings, self._pattern, self._with_nats = settings, pattern, with_nats
        self._permit, self._shape, self._end = permit(settings, forbidden), shape(settings), end
        self._permit_early = permit(settings, forbidden if end is None else [*forbidden, end])
        self._generators = [lane_generator(*own) for own in seeds]
        self._uniform = np.zeros((BLOCK, len(prompts)))
        self._history = np.full((len(prompts), settings.looks_back), -1, np.int64)
        for lane, prompt in enumerate(prompts):
            if kept := min(settings.looks_back, len(prompt) - 1):       # without the begin symbol
                self._history[lane, -kept:] = prompt[-kept:]
        self._states = np.zeros(len(prompts), np.int64)
        self._drawn = 0

    def __call__(self, lanes: Ids, logits: Logits) -> tuple[Ids, Symbols, NDArray[np.bool_] | None]:
        """Logits (n, V) → symbols (n,), those that are kept, and which lanes (n,) continue (None: all)."""
        at, length = self._drawn, self._settings.length
        self._drawn += 1
        uniform = self._uniforms(lanes, at)
        left = None if length is None else length - at
        may_end = at >= self._settings.min_length
        history, permitted = self._history[lanes] if self._settings.looks_back else self._history, logits
        if self._pattern is not None:
            permitted = np.where(self._pattern.allowed(self._states[lanes], left, may_end), logits, -np.inf)
        permitted = (self._permit if may_end else self._permit_early)(permitted, history)
        if self._pattern is not None or self._settings.no_repeat_ngram is not None:
            self._check(lanes, permitted)
        symbols = draw(self._shape(permitted, history), uniform)
        if self._settings.looks_back:
            self._history[lanes] = np.concatenate([history[:, 1:], symbols[:, None]], axis=1)
        nats = log_probabilities(logits, symbols) if self._with_nats else None
        if self._end is None and self._pattern is None:
            return symbols, Symbols(lanes, symbols, nats), None if left is None or left > 1 else symbols < 0
        kept, on = self._ends(lanes, symbols, left)
        return symbols, Symbols(lanes[kept], symbols[kept], None if nats is None else nats[kept]), on

    def _uniforms(self, lanes: Ids, at: int) -> NDArray[np.float64]:
        """(n,) numbers in [0, 1), each from its lane's own generator."""
        if at % BLOCK == 0:
            for lane in lanes:
                self._uniform[:, lane] = self._generators[lane].random(BLOCK)
        row: NDArray[np.float64] = self._uniform[at % BLOCK]
        return row if len(lanes) == len(row) else row[lanes]

    def _ends(self, lanes: Ids, symbols: Ids, left: int | None) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Which symbols (n,) are kept, and which lanes continue after them."""
        kept = symbols != (-1 if self._end is None else self._end)
        on = kept & (left is None or left > 1)
        if self._pattern is not None:
            states = self._pattern.follow(self._states[lanes], symbols, left)
            kept &= states >= 0
            self._states[lanes] = states
            on &= kept
            on[on] = ~self._pattern.over(states[on])
        return kept, on

    def _check(self, lanes: Ids, logits: Logits) -> None:
        stuck = ~np.isfinite(logits).any(axis=1)
        if stuck.any():
            used = [name for name in ("pattern", "allow", "no_repeat_ngram")
                    if getattr(self._settings, name) is not None]
            raise SettingError("conflict", used, "after {drawn} symbols of sample {sample}, none is left that they "
                               "permit. Loosen one.", drawn=self._drawn - 1, sample=lanes[stuck][0] + 1)


def walk(reader: Reader[S], prompts: Sequence[Steps], drawing: Draws, over: NDArray[np.bool_]) -> Iterator[Symbols]:
    """What the lanes draw, step by step; prompts start with the begin symbol or row.

    A lane ends when `drawing` says so or its `over` is set; nothing more is computed for it.
    """
    logits, state = prime(reader, prompts)
    lanes = np.arange(len(prompts))
    lengths = np.ones(len(prompts), np.int32)
    while True:
        symbols, kept, on = drawing(lanes, logits)
        yield kept
        if over.any():
            on = ~over[lanes] if on is None else on & ~over[lanes]
        if on is not None and not on.all():
            lanes, symbols, lengths = lanes[on], symbols[on], lengths[on]
            if not len(lanes):
                return
            state = reader.take(state, np.flatnonzero(on))
        logits, state = reader.read(symbols[None], lengths, state)


def prime(reader: Reader[S], prompts: Sequence[Steps]) -> tuple[Logits, S]:
    """Logits (B, V) and state after each prompt; prompts of unequal length are read in one pass."""
    lengths = np.array([len(prompt) for prompt in prompts], np.int32)
    start = reader.start(len(prompts))
    if lengths.max() > STRETCH:         # one by one, in memory that does not grow with the prompt
        logits, states = zip(*(_alone(reader, prompt, reader.take(start, np.array([lane])))
                               for lane, prompt in enumerate(prompts)), strict=True)
        return np.concatenate(logits), reader.join(states)
    steps = np.zeros((lengths.max(), len(prompts), *prompts[0].shape[1:]), prompts[0].dtype)
    for lane, prompt in enumerate(prompts):
        steps[: len(prompt), lane] = prompt
    return reader.read(steps, lengths, start)


def _alone(reader: Reader[S], prompt: Steps, state: S) -> tuple[Logits, S]:
    for first in range(0, len(prompt), STRETCH):
        part = prompt[first : first + STRETCH, None]
        logits, state = reader.read(part, np.array([len(part)], np.int32), state)
    return logits, state
