"""New music: every note of a frame is drawn on its own, then the frame is read (Boulanger-Lewandowski et al., 2012)."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.data.encoders import Scaler, scaler_of
from unroll.generation.engines import open_engine
from unroll.generation.loop import prime
from unroll.generation.one_field import OneField, Reader
from unroll.generation.rules import Logits, lane_generator
from unroll.models.manifest import ModelFolder

Roll = NDArray[np.bool_]        # (T, notes), true where a note sounds
# frames of silence read before a piece without a prompt: training never predicts a first frame, and after a single one
# a network gives probability to notes that it never saw, from which it may not recover
SILENCE = 8
LANES = 64                      # pieces side by side
BLOCK = 64                      # frames of a lane whose random numbers are made at a time


@dataclass(frozen=True)
class Piece:
    roll: Roll
    primed: int                 # frames of the prompt; those after them are new


def open_composer(model: ModelFolder, threads: int = 1) -> "Composer":
    (field,) = model.spec.inputs.values()
    return Composer(OneField(open_engine(model, threads)), scaler_of(field))


class Composer:
    """The n-th piece depends on (seed, n) alone, whatever is beside it."""

    def __init__(self, reader: Reader[Any], scale: Scaler) -> None:
        self._reader, self._scale = reader, scale

    def pieces(self, prompts: Iterable[Roll], length: int, temperature: float, seed: int, first: int = 0,
               lanes: int = LANES) -> Iterator[Piece]:
        """`length` new frames after each prompt (T, notes), T ≥ 0; silence is read before a piece without a prompt."""
        waiting = iter(prompts)
        while group := list(islice(waiting, lanes)):
            draws = [_draws(seed, first + lane, prompt.shape[1]) for lane, prompt in enumerate(group)]
            made = self._group(group, length, temperature, draws)
            for prompt, roll in zip(group, made, strict=True):
                yield Piece(np.concatenate([prompt, roll]), len(prompt))
            first += len(group)

    def _group(self, prompts: Sequence[Roll], length: int, temperature: float,
               draws: Sequence[Iterator[NDArray[np.float64]]]) -> Roll:
        """(lanes, length, notes)"""
        silence = np.zeros((SILENCE, prompts[0].shape[1]), bool)
        heard = [self._encode(prompt if len(prompt) else silence) for prompt in prompts]
        logits, state = prime(self._reader, heard)
        lengths, frames = np.ones(len(prompts), np.int32), list[Roll]()
        while True:
            frames.append(np.stack([next(uniform) for uniform in draws]) < probabilities(logits, temperature))
            if len(frames) == length:
                return np.stack(frames, axis=1)
            logits, state = self._reader.read(self._encode(frames[-1])[None], lengths, state)

    def _encode(self, frames: Roll) -> NDArray[np.float32]:
        return self._scale.encode(frames.astype(np.float64))


def probabilities(logits: Logits, temperature: float) -> NDArray[np.float64]:
    """The probability of each note; a temperature below 1 sharpens."""
    half = logits.astype(np.float64) / temperature / 2
    return np.asarray(0.5 + 0.5 * np.tanh(half))        # a sigmoid that cannot overflow


def _draws(seed: int, number: int, notes: int) -> Iterator[NDArray[np.float64]]:
    """(notes,) uniform numbers for each frame."""
    generator = lane_generator(seed, number)
    while True:
        yield from generator.random((BLOCK, notes))
