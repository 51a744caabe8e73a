"""A table of melodies from its source to a model that draws notes: pitch, duration and loudness at each step.

The duration of a note follows from the pitch of the one before, the loudness from its place, the pitches from the mode.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest

import unroll
from tests.conftest import run, tiny
from tests.refusals import refusal
from unroll.base.workspace import Workspace
from unroll.commands.cli import main
from unroll.config.load import validate
from unroll.config.schema import Config
from unroll.data.store import open_prepared
from unroll.models.folder import load_model
from unroll.stages.generate import rows as write_rows
from unroll.tracking.models import write_model

PITCHES = {"major": "cde", "minor": "fga"}
DURATION = {"c": "long", "d": "short", "e": "short", "f": "long", "g": "long", "a": "short"}
DATA = {
    "kind": "table", "path": "data/raw/notes.csv", "delimiter": ",", "decimal": ".", "encoding": "utf-8",
    "header": True, "skip": 0, "comment": None, "units": False, "thousands": None, "sheet": None, "columns": {"pitch": ["pitch"], "duration": ["duration"], "loud": ["loud"], "mode": ["mode"]},
    "series": "melody", "time": None, "time_format": None, "time_zone": None, "tokenizer": None, "frequency": None, "gaps": "ignore",
    "inputs": {"pitch": "categories", "duration": "categories", "loud": "real", "mode": "static_categories"},
    "targets": {"pitch": "next", "duration": "next", "loud": "next"}, "scale": "standard", "missing": "refuse", "na_values": [], "min_length": None, "forecast": None,
    "validation": 0.1, "test": 0.1, "seed": 1, "licence": "none",
}
CATEGORIES = {"kind": "classification", "loss": "cross_entropy", "pooling": None, "dropout": 0.0}
MODEL = {
    "inputs": {"pitch": {"kind": "category", "size": 8, "dropout": 0.0},
               "duration": {"kind": "category", "size": 4, "dropout": 0.0},
               "loud": {"kind": "real", "size": None, "dropout": 0.0},
               "mode": {"kind": "static_category", "size": 3, "dropout": 0.0, "joins": "start"}},
    "heads": {"pitch": CATEGORIES, "duration": CATEGORIES,
              "loud": {"kind": "regression", "loss": "gaussian", "pooling": None, "dropout": 0.0}},
}


def melodies() -> pd.DataFrame:
    draw, rows = np.random.default_rng(1), []
    for number in range(300):
        mode, before = draw.choice([*PITCHES]), ""
        for step in range(int(draw.integers(3, 9))):
            pitch = draw.choice([*PITCHES[mode]])
            rows.append({"melody": f"m{number}", "pitch": pitch, "duration": DURATION.get(before, "first"),
                         "loud": round(step + 0.1 * draw.standard_normal(), 3), "mode": mode})
            before = pitch
    return pd.DataFrame(rows)


def composed(**changes: Any) -> Config:
    values: dict[str, Any] = tiny("model=gru", "model.core.hidden_size=24", "train.epochs=60", "train.max_steps=null",
                                  "train.learning_rate=0.02", "train.batch_size=32", "train.bptt=64",
                                  "runtime.tracking.enabled=false").model_dump(mode="json")
    values["data"] = DATA
    values["model"] |= MODEL
    values["train"] |= {"monitor": "duration/loss"}
    values["generate"] |= {"count": 60, "length": 30, "temperature": 1.0} | changes
    return Config.model_validate(values)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    folder = tmp_path_factory.mktemp("melodies")
    (folder / "data" / "raw").mkdir(parents=True)
    melodies().to_csv(folder / "data" / "raw" / "notes.csv", index=False)
    workspace = Workspace(folder, folder)
    run(workspace, composed(), "prepare", "train", "evaluate", "generate")
    return workspace


def follows(table: pd.DataFrame) -> float:
    """Share of notes with the duration that the note before demands, a pitch of their mode, and the loudness of their place."""
    before = table.groupby("melody")["pitch"].shift().map(DURATION).fillna("first")
    place = table.groupby("melody").cumcount()
    of_mode = np.array([pitch in PITCHES[mode] for pitch, mode in zip(table["pitch"], table["mode"], strict=True)])
    return float(((table["duration"] == before) & of_mode & ((table["loud"] - place).abs() < 0.6)).mean())


def test_the_stage_writes_melodies_that_keep_the_rule(done: Workspace) -> None:
    table = pd.read_csv(done.samples / "rows.csv")
    assert [*table] == ["melody", "duration", "loud", "mode", "pitch"] and table["melody"].nunique() == 60
    assert follows(table) > 0.95
    lengths, found = table.groupby("melody").size(), json.loads((done.metrics / "generate.json").read_text())
    assert 4.5 < lengths.mean() < 7 and lengths.max() < 12
    assert table.groupby("mode")["pitch"].nunique().tolist() == [3, 3]
    assert found["samples/sequences"] == 60 and found["samples/rows"] == len(table)
    assert found["samples/rows_per_sequence"] == pytest.approx(lengths.mean())
    assert found["samples/known_steps"] > 0.95 and found["samples/known_rows"] == 1 == found["samples/test_known_rows"]


def test_the_stage_writes_for_what_is_set(done: Workspace, tmp_path: Path) -> None:
    prepared = open_prepared(done.prepared)
    write_rows(tmp_path, load_model(done.model), done.model, prepared, composed(given={"mode": "major"}, count=5).generate)
    assert set(pd.read_csv(tmp_path / "rows.csv")["mode"]) == {"major"}
    assert json.loads((tmp_path / "given.json").read_text()) == [{"mode": ["major"]}] * 5


def test_the_card_says_how_to_draw(done: Workspace) -> None:
    (card,) = (done.comparison.parent).glob("*.md")
    assert "model.generate(" in card.read_text() and "`unroll sample` draws sequences" in card.read_text()


def test_the_figures_of_the_test_split_are_those_of_its_predictions(done: Workspace) -> None:
    """By a second way: the table that `generate` wrote, and the file that the user has."""
    table = pd.read_csv(done.samples / "predictions.csv", index_col=["sequence", "step"])
    truth = melodies()
    truth.index = pd.MultiIndex.from_arrays([truth["melody"], truth.groupby("melody").cumcount() + 1])
    truth, found = truth.loc[table.index], json.loads((done.metrics / "test.json").read_text())
    likelihood = [row[f"pitch_p_{pitch}"] for pitch, (_, row) in zip(truth["pitch"], table.iterrows(), strict=True)]
    assert found["test/pitch/loss"] == pytest.approx(-np.log(likelihood).mean(), rel=1e-3)
    assert found["test/loud/mse"] == pytest.approx(((table["loud"] - truth["loud"]) ** 2).mean(), rel=1e-3)
    # the durations, of which the end of a melody is one: a row more for each
    right = (table["duration"] == truth["duration"]).sum()
    assert right / (len(truth) + 30) <= found["test/duration/accuracy"] <= (right + 30) / (len(truth) + 30)
    assert found["test/loud/mse"] < 0.05 < found["baseline/loud/last_mse"]
    assert 1.0 < found["test/pitch/loss"] < 1.25        # log 3, and of the first note log 3 too, given the mode


def test_a_table_is_continued(done: Workspace, tmp_path: Path) -> None:
    begun = melodies().groupby("melody").head(2).iloc[:40]
    begun.loc[0, "loud"] = 0.0312500001
    begun.to_csv(tmp_path / "begun.csv", index=False)
    ask = ["sample", str(tmp_path / "begun.csv"), "--model", str(done.model), "--count", "2", "--length", "5", "--seed", "7"]
    for ending in (".csv", ".jsonl", ".parquet"):
        main([*ask, "-o", str(tmp_path / f"out{ending}")])
    table = pd.read_csv(tmp_path / "out.csv")
    assert [*table["melody"].unique()][:3] == ["m0/1", "m0/2", "m1/1"] and follows(table) > 0.95
    kept = table.groupby("melody").head(2).reset_index(drop=True)
    for column in ("pitch", "duration", "loud", "mode"):
        assert kept[column].tolist() == [value for _, group in begun.groupby("melody", sort=False)
                                         for value in [*group[column]] * 2]
    pd.testing.assert_frame_equal(table, pd.read_parquet(tmp_path / "out.parquet"))
    pd.testing.assert_frame_equal(table, pd.read_json(tmp_path / "out.jsonl", lines=True), rtol=1e-9)


def test_python_draws_as_the_command_does(done: Workspace, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    model = unroll.load(done.model)
    made = model.generate([""] * 5, seed=4, given={"mode": "minor"}, length=20)
    capsys.readouterr()
    main(["sample", "--model", str(done.model), "--count", "5", "--seed", "4", "--given", "mode=minor", "--length", "20"])
    (tmp_path / "printed.csv").write_text(capsys.readouterr().out)
    table = pd.read_csv(tmp_path / "printed.csv")
    assert table["pitch"].tolist() == [pitch for rows in made for pitch in rows["pitch"]]
    np.testing.assert_allclose(table["loud"], np.concatenate([rows["loud"][:, 0] for rows in made]), atol=1e-5)
    assert model.predict([{**rows, "mode": ["minor"]} for rows in made])["duration"][0].shape == (len(made[0]["pitch"]), 4)
    prompt = {"pitch": ["f", "a"], "duration": ["first", "long"], "loud": [0.125, 1.25]}
    (longer,) = model.generate([prompt], given={"mode": "minor"}, length=3, min_length=3)
    assert longer["pitch"][:2].tolist() == ["f", "a"] and longer["loud"][:2, 0].tolist() == [0.125, 1.25] and len(longer["loud"]) == 5


def test_drawing_needs_no_pytorch(done: Workspace) -> None:
    code = ("import sys; from unroll.commands.cli import main; main(['sample', '--given', 'mode=major']); "
            "sys.exit('torch' in sys.modules)")
    assert subprocess.run([sys.executable, "-c", code], cwd=done.root, env=os.environ, capture_output=True).returncode == 0


@pytest.mark.parametrize(("options", "code", "where"), [
    (["--beams", "3"], "no-effect", "--beams"), (["--pattern", "a"], "no-effect", "--pattern"),
    (["--int8"], "no-effect", "--int8"), (["--stream"], "no-effect", "--stream"), (["--interactive"], "no-effect", "--interactive"),
    (["--length", "inf"], "unsupported", "--length"), (["-o", "notes.mid"], "unsupported", "notes.mid"),
    ([], "missing-value", "--given"), (["--given", "mode=major", "begun.csv"], "conflict", "--given"),
    (["none.csv"], "missing-file", "none.csv"), (["strange.csv"], "unknown-symbol", "strange.csv: sequence m, pitch, step 2"),
    (["--given", "mode=dorian"], "unknown-name", "--given, mode"), (["-o", "data.csv"], "not-a-file", "--out"),
    (["begun.csv", "-o", "begun.csv"], "conflict", "--out"),
])
def test_what_cannot_be_drawn_is_refused(done: Workspace, options: list[str], code: str, where: str, capsys: Any,
                                         monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(done.root)
    (done.root / "data.csv").mkdir(exist_ok=True)
    (done.root / "begun.csv").write_text("melody,pitch,duration,loud,mode\nm,c,first,0,major\n")
    (done.root / "strange.csv").write_text("melody,pitch,duration,loud,mode\nm,c,first,0,major\nm,h,long,1,major\n")
    with pytest.raises(SystemExit) as ended:
        main(["sample", *options])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith(f"unroll: {where}:") and said.rstrip().endswith(f"[{code}]")


def test_other_commands_say_what_can_be_done(done: Workspace, tmp_path: Path) -> None:
    model = unroll.load(done.model)
    assert refusal(lambda: model.memory(1)) == ("unsupported", "state")
    assert refusal(lambda: model.generate("m", length=1))[0] == "wrong-type"
    assert refusal(lambda: model.generate([{"pitch": ["c"]}], given={"mode": "major"}))[0] == "missing-value"
    assert refusal(lambda: model.generate([{"pitsch": ["c"]}], given={"mode": "major"}))[0] == "unknown-name"
    for verb in (["export", "-o", str(tmp_path / "x")], ["play"]):
        with pytest.raises(SystemExit):
            main([*verb, "--model", str(done.model)])


def test_settings_of_texts_are_refused_in_the_configuration(done: Workspace) -> None:
    assert refusal(lambda: run(done, composed(beams=2, temperature=1.0), "generate")) == ("unsupported", "generate.beams")
    assert (done.samples / "rows.csv").is_file()


def test_a_served_model_predicts_each_step(done: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    write_model(tmp_path / "logged", done.model, "", "m-1")
    rows = {"pitch": ["c", "d"], "duration": ["first", "long"], "loud": [0.0, 1.0], "mode": ["major"]}
    served = mlflow.pyfunc.load_model(str(tmp_path / "logged")).predict(pd.DataFrame([rows]))
    assert served["duration"].tolist() == ["first", "long"]


def test_a_column_is_drawn_once(tmp_path: Path) -> None:
    (tmp_path / "data" / "raw").mkdir(parents=True)
    melodies().to_csv(tmp_path / "data" / "raw" / "notes.csv", index=False)
    values = composed().model_dump(mode="json")
    values["data"] = {**DATA, "columns": {**DATA["columns"], "duration": ["pitch"]}}
    assert refusal(lambda: run(Workspace(tmp_path, tmp_path), Config.model_validate(values), "prepare")) \
        == ("conflict", "data.columns.duration")


@pytest.mark.parametrize(("changes", "code", "where"), [
    ({"targets": {**DATA["targets"], "mode": "tag"}, "inputs": {name: DATA["inputs"][name] for name in DATA["targets"]}},
     "conflict", "params.yaml: data"),       # no step has read what the tag would be of
    ({"targets": {"pitch": "forecast", "duration": "next"}}, "conflict", "params.yaml: data"),
    ({"targets": {"pitch": "next_labels", "duration": "next"}}, "conflict", "params.yaml: data"),
    ({"targets": {"mode": "next"}}, "conflict", "params.yaml: data"),
])
def test_fields_that_cannot_be_drawn_are_refused(changes: dict[str, Any], code: str, where: str) -> None:
    values = composed().model_dump(mode="json")
    values["data"] = {**DATA, **changes}
    assert refusal(lambda: validate(values, "params.yaml")) == (code, where)


def test_two_columns_of_categories_are_two_fields(tmp_path: Path) -> None:
    (tmp_path / "data" / "raw").mkdir(parents=True)
    melodies().to_csv(tmp_path / "data" / "raw" / "notes.csv", index=False)
    values = composed().model_dump(mode="json")
    values["data"] = {**DATA, "columns": {"both": ["pitch", "duration"]}, "inputs": {"both": "categories"}, "targets": {"both": "next"}}
    values["model"] |= {"inputs": {"both": MODEL["inputs"]["pitch"]}, "heads": {"both": CATEGORIES}}
    values["train"]["monitor"] = "both/loss"
    assert refusal(lambda: run(Workspace(tmp_path, tmp_path), Config.model_validate(values), "prepare")) \
        == ("unsupported", "data.targets.both")


def test_a_category_that_training_never_saw_costs_nothing(tmp_path: Path) -> None:
    (tmp_path / "data" / "raw").mkdir(parents=True)
    table = melodies()
    workspace = Workspace(tmp_path, tmp_path)
    table.to_csv(tmp_path / "data" / "raw" / "notes.csv", index=False)
    run(workspace, composed(), "prepare")
    tested = json.loads((workspace.prepared / "test" / "places.json").read_text())[0][0]
    table.loc[(table["melody"] == tested).idxmax(), "pitch"] = "h"
    table.to_csv(tmp_path / "data" / "raw" / "notes.csv", index=False)
    run(workspace, composed(), "prepare")
    known = np.load(workspace.prepared / "test" / "pitch" / "known.npy")
    rows = len(np.load(workspace.prepared / "test" / "pitch" / "values.npy"))
    assert known.shape == (rows, 1) and rows - known.sum() == 1 + 30       # and one for each melody's end
