"""Piano rolls as MIDI and back, as mido reads what is written."""

from pathlib import Path

import mido
import numpy as np
import pytest

from unroll.base.errors import UserError
from unroll.generation.midi import note_name, read_midi, write_midi

LOWEST, NOTES = 21, 88


def some(length: int = 40, share: float = 0.3, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).random((length, NOTES)) < share


def heard(path: Path) -> tuple[np.ndarray, int]:
    """The roll that a player plays, and how many notes are struck."""
    (track,) = mido.MidiFile(path).tracks
    at, on, frames, struck = 0, np.zeros(NOTES, bool), [], 0
    for message in track:
        frames += [on.copy()] * (message.time // 480)
        assert message.time % 480 == 0
        at += message.time
        if message.type == "note_on":
            assert not on[message.note - LOWEST], "a note that sounds is not struck again"
            on[message.note - LOWEST], struck = True, struck + 1
        elif message.type == "note_off":
            assert on[message.note - LOWEST]
            on[message.note - LOWEST] = False
    assert not on.any(), "every note ends"
    return np.array(frames).reshape(-1, NOTES), struck


@pytest.mark.parametrize("roll", [
    some(), some(share=0.95), some(1), np.zeros((5, NOTES), bool), np.ones((7, NOTES), bool), np.eye(NOTES) > 0,
    np.concatenate([np.zeros((3, NOTES)), np.ones((2, NOTES)), np.zeros((4, NOTES))]) > 0,
])
def test_what_is_written_is_what_is_heard_and_read(tmp_path, roll):
    write_midi(roll, LOWEST, 120, tmp_path / "a.mid")
    found, struck = heard(tmp_path / "a.mid")
    np.testing.assert_array_equal(found, roll)
    assert struck == (np.diff(roll.astype(int), axis=0, prepend=0) == 1).sum(), "held notes are one note"
    np.testing.assert_array_equal(read_midi(tmp_path / "a.mid", LOWEST, NOTES), roll)


def test_the_same_roll_is_the_same_bytes_and_lasts_as_long_as_it_says(tmp_path):
    for name in ("a.mid", "b.mid"):
        write_midi(some(30), LOWEST, 90, tmp_path / name)
    assert (tmp_path / "a.mid").read_bytes() == (tmp_path / "b.mid").read_bytes()
    assert mido.MidiFile(tmp_path / "a.mid").length == pytest.approx(30 * 60 / 90, abs=1e-3)


def written(path: Path, *tracks: list[tuple[str, int, int, int]], ticks: int = 96) -> Path:
    """Tracks of (kind, note, ticks to wait, channel)."""
    file = mido.MidiFile(ticks_per_beat=ticks)
    for track in tracks:
        file.tracks.append(mido.MidiTrack([mido.Message("note_on" if kind == "on" else "note_off", note=note, time=wait,
                           channel=channel, velocity=0 if kind == "zero" else 64) for kind, note, wait, channel in track]))
    file.save(path)
    return path


def spans(roll: np.ndarray) -> dict[int, list[int]]:
    return {LOWEST + int(note): np.flatnonzero(roll[:, note]).tolist() for note in np.flatnonzero(roll.any(axis=0))}


def test_notes_of_a_player_are_put_at_the_nearest_frames(tmp_path):
    path = written(tmp_path / "a.mid",
                   [("on", 60, 10, 0), ("off", 60, 180, 0), ("on", 62, 0, 0), ("on", 62, 95, 0), ("off", 62, 5, 0)],
                   [("on", 64, 0, 1), ("on", 64, 96, 1), ("off", 64, 96, 1), ("on", 36, 0, 9), ("off", 36, 999, 9)],
                   [("on", 67, 96, 2)])
    # 62 begins at beat 1.98 and again at 2.97, so that it sounds in frames 2 and 3 alone
    assert spans(read_midi(path, LOWEST, NOTES))[60] == [0, 1]
    assert spans(read_midi(path, LOWEST, NOTES))[62] == [2, 3]
    assert spans(read_midi(path, LOWEST, NOTES))[64] == [0, 1]
    assert 36 not in spans(read_midi(path, LOWEST, NOTES)), "drums have no pitch"
    assert spans(read_midi(path, LOWEST, NOTES))[67] == list(range(1, 12)), "what never ends sounds to the end"


def test_a_short_note_is_a_frame_and_velocity_0_an_end(tmp_path):
    path = written(tmp_path / "a.mid", [("on", 60, 96, 0), ("off", 60, 3, 0), ("on", 61, 93, 0)])
    assert spans(read_midi(path, LOWEST, NOTES))[60] == [1]
    file = mido.MidiFile(ticks_per_beat=10)
    file.tracks.append(mido.MidiTrack([mido.Message("note_on", note=50, velocity=9), mido.Message("note_on", note=50, velocity=0, time=20)]))
    file.save(path)
    assert spans(read_midi(path, LOWEST, NOTES)) == {50: [0, 1]}


def test_what_is_no_music_is_one_line(tmp_path):
    write_midi(some(9), LOWEST, 120, tmp_path / "whole.mid")
    (tmp_path / "no.mid").write_bytes(b"no music")
    (tmp_path / "empty.mid").write_bytes(b"")
    (tmp_path / "cut.mid").write_bytes((tmp_path / "whole.mid").read_bytes()[:60])
    written(tmp_path / "low.mid", [("on", 12, 0, 0), ("off", 12, 96, 0)])
    written(tmp_path / "long.mid", [("on", 60, 0, 0), ("off", 60, 200_000, 0)], ticks=1)
    for name, code in {"no.mid": "damaged", "empty.mid": "damaged", "cut.mid": "damaged", "none.mid": "missing-file",
                       "long.mid": "too-large", "low.mid": "out-of-range"}.items():
        with pytest.raises(UserError) as caught:
            read_midi(tmp_path / name, LOWEST, NOTES)
        assert (caught.value.code, caught.value.where) == (code, str(tmp_path / name)) and "\n" not in str(caught.value)
        assert name != "low.mid" or "note C0 at beat 0; the model has A0 to C8" in str(caught.value)


def test_notes_have_the_names_that_musicians_know():
    assert [note_name(each) for each in (21, 60, 61, 69, 70, 108)] == ["A0", "C4", "C♯4", "A4", "B♭4", "C8"]
