"""How a piece of music goes on, or a new one: a MIDI file and a picture each."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from unroll.base.errors import UserError
from unroll.commands.out_folder import check_folder
from unroll.config.sampling import COMMAND_NUMBERS, sampling
from unroll.data.encoders import scaler_of
from unroll.data.spec import Spec
from unroll.drawing.generation import piano_roll
from unroll.generation.engine import OnnxEngine
from unroll.generation.midi import LOWEST, TEMPO, read_midi, write_midi
from unroll.generation.music import Composer, Roll
from unroll.models.manifest import STEP, ModelFolder

MIDI = (".mid", ".midi")


@dataclass(frozen=True, kw_only=True)
class Wanted:
    prompts: tuple[str, ...] = ()       # files
    out: Path | None = None
    count: int = 1                      # pieces after each prompt
    length: int | None = 200            # frames after it
    temperature: float = 1.0
    tempo: int = TEMPO                  # frames a minute
    seed: int = 1
    threads: int = 1


OPTIONS = frozenset(each.name for each in fields(Wanted))


def sample(opened: ModelFolder, given: dict[str, Any]) -> None:
    """Write 001.mid, 001.png, …: `count` pieces after each prompt, which is part of them, or from nothing."""
    wanted = Wanted(**given)
    out = check_folder(wanted.out, "pieces")
    length = sampling(COMMAND_NUMBERS, length=wanted.length, temperature=wanted.temperature).length
    if length is None:
        raise UserError("unsupported", "--length", "only a text can be without an end. Give a number.")
    spec = opened.spec
    (described,) = spec.inputs.values()
    lowest, notes = LOWEST[spec.source.kind], described.size
    prompts = [roll for name in wanted.prompts for roll in _read(Path(name), spec, lowest, notes)]
    if not wanted.prompts:
        prompts = [np.zeros((0, notes), bool)]
    composer = Composer(OnnxEngine(opened.folder / STEP, wanted.threads), scaler_of(described))
    asked = [prompt for prompt in prompts for _ in range(wanted.count)]
    for number, piece in enumerate(composer.pieces(asked, length, wanted.temperature, wanted.seed), 1):
        write_midi(piece.roll, lowest, wanted.tempo, out / f"{number:03d}.mid")
        piano_roll(piece.roll, piece.primed, lowest, out / f"{number:03d}.png")
    print(f"sample: {len(asked):,} piece{'s' * (len(asked) > 1)} of {length:,} new frames → {out}")


def _read(path: Path, spec: Spec, lowest: int, notes: int) -> list[Roll]:
    """A MIDI file, or one that `unroll predict` reads, of numbers 0 and 1; a prompt for each sequence in it."""
    if path.suffix.lower() in MIDI:
        return [read_midi(path, lowest, notes)]
    from unroll.prediction.inputs import read
    from unroll.prediction.reading import Reader

    (described,) = spec.inputs.values()
    given, reader, rolls = read(path, spec), Reader(described, None, None), list[Roll]()
    for name, sequence in zip(given.names, given.sequences, strict=True):
        values = reader.sequence(f"{path}: sequence {name}", sequence, False)
        for step, place in np.argwhere((values != 0) & (values != 1))[:1]:
            raise UserError(f"{path}: sequence {name}, step {step + 1}, number {place + 1}: {values[step, place]:g} "
                            "where a note is on, 1, or off, 0. Mend it.")
        rolls.append(values > 0)
    return rolls
