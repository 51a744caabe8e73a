"""Pieces of music, new or after a prompt: a MIDI file and a picture each."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from unroll.base.errors import UserError
from unroll.commands.out_folder import check_folder
from unroll.config.data import lowest_note
from unroll.config.sampling import COMMAND_NUMBERS, sampling
from unroll.data.spec import Spec
from unroll.generation.midi import TEMPO, read_midi, write_pieces
from unroll.generation.music import Roll, open_composer
from unroll.models.manifest import ModelFolder

MIDI = (".mid", ".midi")


@dataclass(frozen=True, kw_only=True)
class Request:
    prompts: tuple[str, ...] = ()       # files
    out: Path | None = None
    count: int = 1                      # pieces after each prompt
    tempo: int = TEMPO                  # frames per minute
    seed: int = 1
    threads: int = 1


RULES = ("length", "temperature")       # the sampling settings that apply; the length in frames
OPTIONS = frozenset({*RULES, *(field.name for field in fields(Request))})


def sample(model: ModelFolder, typed: dict[str, Any]) -> None:
    """Write 001.mid, 001.png, …: `count` pieces after each prompt, which is part of them, or from nothing."""
    rules = sampling(COMMAND_NUMBERS, **{name: typed[name] for name in RULES if name in typed})
    request = Request(**{name: value for name, value in typed.items() if name not in RULES})
    out = check_folder(request.out, "pieces")
    if rules.length is None:
        raise UserError("unsupported", "--length", "only a text may have no end. Give a number.")
    (field,) = model.spec.inputs.values()
    lowest = lowest_note(model.spec.source.kind)
    assert lowest is not None       # or the model would not generate music
    prompts = [roll for name in request.prompts for roll in _read(Path(name), model.spec, lowest, field.size)]
    repeated = [prompt for prompt in prompts or [np.zeros((0, field.size), bool)] for _ in range(request.count)]
    composer = open_composer(model, request.threads)
    write_pieces(composer.pieces(repeated, rules.length, rules.temperature, request.seed), lowest, request.tempo, out)
    print(f"sample: {len(repeated):,} piece{'s' * (len(repeated) > 1)} of {rules.length:,} new frames → {out}")


def _read(path: Path, spec: Spec, lowest: int, notes: int) -> list[Roll]:
    """A MIDI file, or a file of numbers 0 and 1 that `unroll predict` reads; a prompt for each sequence in it."""
    if path.suffix.lower() in MIDI:
        return [read_midi(path, lowest, notes)]
    from unroll.prediction.inputs import read
    from unroll.prediction.reading import InputReader

    (field,) = spec.inputs.values()
    inputs, reader, rolls = read(path, spec), InputReader(field, None, None), list[Roll]()
    for name, sequence in zip(inputs.names, inputs.sequences, strict=True):
        values = reader.sequence(f"{path}: sequence {name}", sequence, False)
        for step, place in np.argwhere((values != 0) & (values != 1))[:1]:
            raise UserError("bad-number", f"{path}: sequence {name}, step {step + 1}, number {place + 1}",
                            f"{values[step, place]:g} where a note is on, 1, or off, 0. Correct it.")
        rolls.append(values > 0)
    return rolls
