"""New music: over an engine that remembers, over a network, and as it is typed."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tests.conftest import REPOSITORY
from tests.generation.conftest import NOTES
from tests.prediction.conftest import RUNTIME
from unroll.commands import cli
from unroll.compose import compose
from unroll.data.encoders import Scaler
from unroll.generation import music as rooms
from unroll.generation.engine import OnnxEngine
from unroll.generation.midi import read_midi, write_midi
from unroll.generation.music import SILENCE, Composer, probabilities
from unroll.generation.one_field import OneField
from unroll.generation.worth import known_chords, notes_per_frame, silent_frames
from unroll.stages.generate import generate

NOTHING = np.zeros((0, 3), bool)
PLAIN = Scaler(np.zeros(3), np.ones(3))


class Steady:
    """Always the same logits; it remembers what it has read."""

    def __init__(self, logits):
        self.logits, self.reads = np.array(logits, np.float32), []

    def start(self, lanes):
        return None

    def read(self, steps, lengths, state):
        self.reads.append(steps)
        return np.tile(self.logits, (len(lengths), 1)), None


def chords(seed: int = 1, length: int = 20) -> np.ndarray:
    return np.random.default_rng(seed).random((length, NOTES)) < 0.05


@pytest.fixture
def folder(music, tmp_path, monkeypatch) -> Path:
    shutil.copytree(music.model, tmp_path / "artifacts" / "model")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said(capsys, *arguments: str) -> str:
    capsys.readouterr()
    cli.main(["sample", *arguments])
    return capsys.readouterr().out


def refused(capsys, *arguments: str) -> str:
    with pytest.raises(SystemExit) as ended:
        said(capsys, *arguments)
    line = capsys.readouterr().err
    assert ended.value.code == 2 and line.count("\n") == 1, line
    return line.removeprefix("unroll: ").removesuffix("\n")


@pytest.mark.parametrize("temperature", [1.0, 0.5, 2.0])
def test_each_note_is_drawn_with_its_probability_on_its_own(temperature):
    logits = np.array([-2.0, 0.0, 1.5])
    made = Composer(Steady(logits), PLAIN).pieces([NOTHING] * 40, 500, temperature, 3)
    notes = np.concatenate([piece.roll for piece in made])
    expected = 1 / (1 + np.exp(-logits / temperature))
    np.testing.assert_allclose(notes.mean(axis=0), expected, atol=4 * 0.5 / np.sqrt(len(notes)))
    np.testing.assert_allclose(np.corrcoef(notes.T), np.eye(3), atol=0.03)


def test_a_logit_without_bounds_is_certain():
    np.testing.assert_array_equal(probabilities(np.array([-1e30, 1e30, 0], np.float32), 0.01), [0, 1, 0.5])


def test_what_was_drawn_is_read_scaled():
    engine, scale = Steady([0, 0, 0]), Scaler(np.array([0.5, 0, 0]), np.array([0.5, 1, 2.0]))
    (piece,) = Composer(engine, scale).pieces([np.array([[1, 0, 1], [0, 1, 0]]) > 0], 30, 1.0, 1)
    assert piece.primed == 2 and piece.roll.shape == (32, 3)
    read = np.concatenate(engine.reads)[:, 0]
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read, (piece.roll[:-1] - scale.mean) / scale.deviation)


def test_before_a_piece_from_nothing_there_is_silence():
    engine = Steady([0, 0, 0])
    (piece,) = Composer(engine, PLAIN).pieces([NOTHING], 5, 1.0, 1)
    assert piece.primed == 0 and len(piece.roll) == 5
    assert engine.reads[0].shape == (SILENCE, 1, 3) and not engine.reads[0].any()


def test_the_step_file_says_what_the_network_says(music):
    roll = chords()
    engine = OneField(OnnxEngine(music.model / "step.onnx"))
    given = music.predictor.predict([roll])[0]
    logits, state = engine.read(roll[:12, None].astype(np.float32), np.array([12], np.int32), engine.start(1))
    np.testing.assert_allclose(probabilities(logits, 1)[0], given[11], atol=1e-5)
    logits, _ = engine.read(roll[12:13, None].astype(np.float32), np.ones(1, np.int32), state)
    np.testing.assert_allclose(probabilities(logits, 1)[0], given[12], atol=1e-5)


def test_a_piece_depends_on_its_seed_and_number_alone(music, monkeypatch):
    composer = music.predictor.composer
    prompts = [chords(seed, length) for seed, length in enumerate((3, 0, 1, 17, 0))]
    together = [piece.roll for piece in composer.pieces(prompts, 70, 1.0, 7)]
    for number, prompt in enumerate(prompts):
        (alone,) = composer.pieces([prompt], 70, 1.0, 7, first=number)
        np.testing.assert_array_equal(alone.roll, together[number])
        np.testing.assert_array_equal(alone.roll[: len(prompt)], prompt)
    in_groups = composer.pieces(prompts, 70, 1.0, 7, lanes=2)
    assert all(np.array_equal(piece.roll, roll) for piece, roll in zip(in_groups, together, strict=True))
    assert not np.array_equal(together[1], together[4]), "another number is another piece"
    assert not np.array_equal(together[1], next(iter(composer.pieces(prompts[1:2], 70, 1.0, 8, first=1))).roll)
    short = next(iter(composer.pieces(prompts[:1], 20, 1.0, 7))).roll
    np.testing.assert_array_equal(short, together[0][:23]), "a longer piece begins with the shorter one"
    monkeypatch.setattr(rooms, "BLOCK", 7)
    np.testing.assert_array_equal(next(iter(composer.pieces(prompts[:1], 70, 1.0, 7))).roll, together[0])


def test_worth():
    roll = np.array([[1, 0, 1], [0, 0, 0], [1, 1, 1], [0, 1, 0]]) > 0
    corpus = np.array([[1, 0, 1], [0, 0, 0], [0, 1, 0]]) > 0
    assert (notes_per_frame(roll), silent_frames(roll)) == (1.5, 0.25)
    assert known_chords(roll, corpus) == 2 / 3 and known_chords(roll[1:2], corpus) == 0


def test_files_of_pieces(folder, capsys):
    assert said(capsys, "--count", "3", "--length", "30", "-o", "out").startswith("sample: 3 pieces of 30 new frames → out")
    assert [each.name for each in sorted((folder / "out").iterdir())] == [f"00{n}.{e}" for n in (1, 2, 3) for e in ("mid", "png")]
    made = [read_midi(folder / "out" / f"00{number}.mid", 21, NOTES) for number in (1, 2, 3)]
    assert [len(each) for each in made] == [30] * 3 and not np.array_equal(made[0], made[1])
    (folder / "more").mkdir()
    (folder / "more" / "mine.txt").write_text("kept")
    said(capsys, "--count", "2", "--length", "30", "-o", "more")
    assert (folder / "more" / "mine.txt").read_text() == "kept"
    for name in ("001.mid", "002.png"):
        assert (folder / "more" / name).read_bytes() == (folder / "out" / name).read_bytes()
    said(capsys, "--length", "30", "--seed", "2", "-o", "more")
    assert (folder / "more" / "001.mid").read_bytes() != (folder / "out" / "001.mid").read_bytes()


def test_a_low_temperature_is_what_is_most_probable(music, folder, capsys):
    said(capsys, "--length", "20", "--temperature", "1e-9", "-o", "out")
    roll = read_midi(Path("out/001.mid"), 21, NOTES)
    heard = np.concatenate([np.zeros((SILENCE, NOTES)), roll])
    np.testing.assert_array_equal(music.predictor.predict([heard])[0][SILENCE - 1 : -1] > 0.5, roll)


def test_prompts_are_files_of_every_kind(folder, capsys):
    prompt = chords()
    np.save("a.npy", prompt.astype(np.uint8))
    np.savez("a.npz", X=np.stack([prompt, prompt]).astype(float))
    pd.DataFrame(prompt.astype(int)).add_prefix("note").to_csv("a.csv", index=False)
    write_midi(prompt, 21, 120, Path("a.mid"))
    assert said(capsys, "a.npy", "a.mid", "a.csv", "a.npz", "--length", "9", "-o", "out").startswith("sample: 5 pieces of 9")
    for number in range(1, 6):
        roll = read_midi(Path(f"out/00{number}.mid"), 21, NOTES)
        assert len(roll) == 29
        np.testing.assert_array_equal(roll[:20], prompt)


def test_the_given_part_is_of_another_colour(folder, capsys):
    np.save("a.npy", chords(length=15))
    said(capsys, "a.npy", "--length", "15", "-o", "out")
    pixels = np.asarray(Image.open("out/001.png").convert("RGB")).astype(int)
    before, after = pixels.shape[1] // 2, pixels.shape[1] * 5 // 9      # the border is between
    grey, blue = ((np.abs(pixels - np.array(colour)).sum(axis=2) < 6) for colour in ((0x8A, 0x8F, 0x98), (0x24, 0x63, 0xA6)))
    below = slice(40, None)     # the legend stands above
    assert grey[below, :before].sum() > 500 and blue[below, after:].sum() > 500
    assert grey[below, after:].sum() == 0 and blue[below, :before].sum() == 0


REFUSED = [
    (["--length", "9"], "--out: pieces are written into a folder. Add -o FOLDER."), (["-o", "a.txt"], "--out: "),
    (["-o", "a.txt/deep"], "--out: "), (["-o", "out", "--top-k", "3"], "--top-k: has no effect on a model of music."),
    (["-o", "out", "--greedy"], "--greedy: has no effect"), (["-o", "out", "--prompts", "a.txt"], "--prompts: has no effect"),
    (["-o", "out", "--length", "inf"], "--length: only a text"), (["-o", "out", "--temperature", "0"], "--temperature: 0.0 is"),
    (["none.npy", "-o", "out"], "none.npy: no such file."), (["none.mid", "-o", "out"], "none.mid: cannot be read"),
    (["narrow.npy", "-o", "out"], "narrow.npy: sequence 1: of shape (4, 5) where the model reads (T, 88)"),
    (["half.npy", "-o", "out"], "half.npy: sequence 1, step 3, number 7: 0.5 where a note is on, 1, or off, 0."),
    (["flat.npy", "-o", "out"], "flat.npy: an array of shape (88,)."), (["a.txt", "-o", "out"], "a.txt: text, where"),
    (["bad.npy", "-o", "out"], "bad.npy: not an .npy file of a plain array"),
    (["narrow.csv", "-o", "out"], "narrow.csv: 2 columns of numbers"),
]


@pytest.mark.parametrize(("arguments", "line"), REFUSED, ids=[" ".join(each) for each, _ in REFUSED])
def test_what_cannot_be_is_one_line_and_nothing_is_written(folder, capsys, arguments, line):
    half = chords().astype(float)
    half[2, 6] = 0.5
    np.save("narrow.npy", np.zeros((4, 5)))
    np.save("half.npy", half)
    np.save("flat.npy", half[0])
    Path("bad.npy").write_bytes(b"none")
    Path("a.txt").write_text("text")
    Path("narrow.csv").write_text("a,b\n0,1\n")
    before = sorted(folder.rglob("*"))
    assert refused(capsys, *arguments).startswith(line)
    assert sorted(folder.rglob("*")) == before


def test_what_does_not_go_on_is_not_sampled(zoo, folder, capsys):
    assert refused(capsys, "--model", str(zoo("tag").model), "-o", "out").startswith("--model: the model's head is classification;")


def test_neither_torch_nor_onnx_nor_mlflow_is_imported(folder):
    code = ("import sys; from unroll.commands import cli; cli.main(['sample', '--length', '9', '-o', 'out']); "
            "print(sorted({'torch', 'onnx', 'mlflow', 'pandas', 'hydra'} & sys.modules.keys()), file=sys.stderr)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                          env={**os.environ, "PYTHONPATH": str(REPOSITORY / "src")})
    assert done.stderr.strip() == "[]" and "1 piece of" in done.stdout


def test_the_stage_writes_pieces_beside_predictions(music):
    config = compose(REPOSITORY / "conf", ["experiment=jsb", "generate.count=2", "generate.length=25", "generate.threads=1"])[1]
    workspace = music.workspace
    generate(workspace, RUNTIME, config.generate)
    files = sorted(workspace.samples.iterdir())
    assert [each.name for each in files] == ["001.mid", "001.png", "002.mid", "002.png", "predictions.csv"]
    figures = json.loads((workspace.metrics / "generate.json").read_text())
    rolls = np.concatenate([read_midi(file, 21, NOTES) for file in files if file.suffix == ".mid"])
    test = np.load(workspace.prepared / "test/x/values.npy")
    assert len(rolls) == 50
    assert figures["samples/notes_per_frame"] == rolls.sum() / 50
    assert figures["samples/test_notes_per_frame"] == pytest.approx(test.sum() / len(test))
    assert 0 <= figures["samples/known_chords"] <= 1 and figures["samples/silent_frames"] == (rolls.sum(axis=1) == 0).mean()
    content = [each.read_bytes() for each in files]
    generate(workspace, RUNTIME, config.generate)
    assert [each.read_bytes() for each in sorted(workspace.samples.iterdir())] == content
