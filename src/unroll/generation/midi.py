"""Piano rolls as MIDI files and pictures, and MIDI files as piano rolls: a frame is a beat."""

from collections.abc import Iterable
from pathlib import Path

import mido
import numpy as np

from unroll.base.errors import UserError
from unroll.base.files import replacing
from unroll.drawing.generation import piano_roll
from unroll.generation.music import Piece, Roll

TICKS = 480                     # per frame
TEMPO = 120                     # frames per minute
VELOCITY = 80
DRUMS = 9                       # the channel whose notes have no pitch
LONGEST = 100_000               # frames of a file
NAMES = ("C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B")


def note_name(pitch: int) -> str:
    """60 is C4."""
    return f"{NAMES[pitch % 12]}{pitch // 12 - 1}"


def write_midi(roll: Roll, lowest: int, tempo: float, path: Path) -> None:
    """Consecutive frames of a note are one long note; equal rolls give equal bytes."""
    file = mido.MidiFile(type=0, ticks_per_beat=TICKS)
    track = mido.MidiTrack()
    file.tracks.append(track)
    track.append(mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(tempo)))
    edges = np.diff(roll.astype(np.int8), axis=0, prepend=0, append=0)      # (T + 1, notes)
    written = 0
    for frame, changes in enumerate(edges):
        # notes end before others begin
        for kind, sign in (("note_off", -1), ("note_on", 1)):
            for column in np.flatnonzero(changes == sign).tolist():
                wait, written = (frame - written) * TICKS, frame
                track.append(mido.Message(kind, note=lowest + column, velocity=VELOCITY, time=wait))
    track.append(mido.MetaMessage("end_of_track", time=(len(roll) - written) * TICKS))
    with replacing(path) as temporary:
        file.save(temporary)


def write_pieces(pieces: Iterable[Piece], lowest: int, tempo: float, folder: Path) -> None:
    """001.mid and 001.png, …; `lowest` is the MIDI number of the first note, `tempo` in frames per minute."""
    for number, piece in enumerate(pieces, 1):
        write_midi(piece.roll, lowest, tempo, folder / f"{number:03d}.mid")
        piano_roll(piece.roll, piece.primed, lowest, folder / f"{number:03d}.png")


def read_midi(path: Path, lowest: int, notes: int) -> Roll:
    """(T, notes), each note from the frame nearest to its start to that nearest to its end, at least one; no drums."""
    try:
        file = mido.MidiFile(path)
        if file.ticks_per_beat <= 0:
            raise ValueError("its time is not in beats")
        messages = list(mido.merge_tracks(file.tracks))
    except OSError as error:
        if error.strerror is not None:
            raise UserError("missing-file", path, f"cannot be read ({error.strerror}). Give a MIDI file.") from None
        raise _no_midi(path, error) from None
    except Exception as error:      # a damaged file can fail in any way
        raise _no_midi(path, error) from None
    beats, begun, sounding = 0.0, dict[tuple[int, int], float](), list[tuple[int, float, float]]()
    for message in messages:
        beats += message.time / file.ticks_per_beat
        if message.type not in ("note_on", "note_off") or message.channel == DRUMS:
            continue
        key = message.channel, message.note
        if key in begun:            # a note that begins again ends first
            sounding.append((message.note, begun.pop(key), beats))
        if message.type == "note_on" and message.velocity:
            begun[key] = beats
    sounding += [(note, start, beats) for (_, note), start in begun.items()]
    for note, start, _ in sounding:
        if not lowest <= note < lowest + notes:
            raise UserError("out-of-range", path, f"note {note_name(note)} at beat {start:g}; the model has "
                            f"{note_name(lowest)} to {note_name(lowest + notes - 1)}. Transpose it.")
    if beats > LONGEST:
        raise UserError("too-large", path, f"{beats:,.0f} beats long; at most {LONGEST:,} are read. Cut it.")
    # halves are rounded up; Python's `round` would alternate between the two frames
    spans = [(note, int(start + 0.5), int(end + 0.5)) for note, start, end in sounding]
    spans = [(note, start, max(start + 1, end)) for note, start, end in spans]
    roll = np.zeros((max([int(beats + 0.5), *(end for _, _, end in spans)]), notes), bool)
    for note, start, end in spans:
        roll[start:end, note - lowest] = True
    return roll


def _no_midi(path: Path, error: Exception) -> UserError:
    reason = " ".join(str(error).split()).rstrip(".")
    return UserError("damaged", path, f"not a MIDI file{f' ({reason})' if reason else ''}. Give one that a player "
                     "plays.")
