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
    "header": True, "skip": 0, "comment": None, "units": False, "thousands": None, "sheet": None, "wide": None, "columns": {"pitch": ["pitch"], "duration": ["duration"], "loud": ["loud"], "mode": ["mode"]},
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
    (["--beams", "3"], "unsupported", "--beams"), (["--pattern", "a"], "unsupported", "--pattern"),
    (["--stop", "a"], "unsupported", "--stop"), (["--int8"], "unsupported", "--int8"), (["--interactive"], "no-effect", "--interactive"),
    (["--length", "inf"], "conflict", "--length"), (["--stream", "-o", "x.csv"], "conflict", "--stream"), (["--gpu"], "no-device", "--gpu"),
    (["--greedy", "--count", "2"], "no-effect", "--count"), (["--prompts", "begun.csv"], "unsupported", "begun.csv"),
    (["--prompts", "begun.jsonl", "begun.csv"], "conflict", "--prompts"), (["--prompts", "bad.jsonl"], "unreadable", "bad.jsonl, line 2"),
    (["--prompts", "begun.jsonl"], "missing-value", "begun.jsonl, line 1, given"), (["-o", "notes.mid"], "unsupported", "notes.mid"),
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
    (done.root / "begun.jsonl").write_text('{"prompt": {"pitch": ["c"]}}\n')
    (done.root / "bad.jsonl").write_text('{"prompt": "", "given": {"mode": "major"}}\n{"prompt": "c"}\n')
    (done.root / "strange.csv").write_text("melody,pitch,duration,loud,mode\nm,c,first,0,major\nm,h,long,1,major\n")
    with pytest.raises(SystemExit) as ended:
        main(["sample", *options])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith(f"unroll: {where}:") and said.rstrip().endswith(f"[{code}]")


def test_what_is_no_prompt_is_refused_in_python(done: Workspace) -> None:
    model = unroll.load(done.model)
    assert refusal(lambda: model.generate("m", length=1))[0] == "wrong-type"
    assert refusal(lambda: model.generate([{"pitch": ["c"]}], given={"mode": "major"}))[0] == "missing-value"
    assert refusal(lambda: model.generate([{"pitsch": ["c"]}], given={"mode": "major"}))[0] == "unknown-name"


def test_rows_are_printed_as_they_are_drawn(done: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And a file of prompts is read: one begun, one new."""
    prompts = [{"prompt": {"pitch": ["c", "e"], "duration": ["first", "long"], "loud": [0.0, 1.0312500001]}, "given": {"mode": "major"}},
               {"prompt": "", "given": {"mode": "minor"}}]
    (tmp_path / "prompts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in prompts))
    printed = []
    for options in ([], ["--stream"]):
        capsys.readouterr()
        main(["sample", "--model", str(done.model), "--prompts", str(tmp_path / "prompts.jsonl"), "--count", "2", "--length", "9", *options])
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1] and printed[0].startswith("melody,") and "1.0312500001" in printed[0]
    (tmp_path / "printed.csv").write_text(printed[0])
    assert follows(pd.read_csv(tmp_path / "printed.csv")) > 0.9


def test_a_table_is_predicted_in_parts(done: Workspace, tmp_path: Path) -> None:
    table = melodies().groupby("melody").head(6)
    table = table[table["melody"].isin(["m0", "m1", "m2"])]
    for name, rows in (("whole", table), ("1", table.groupby("melody").head(2)), ("2", table[table.groupby("melody").cumcount() >= 2])):
        rows.to_csv(tmp_path / f"{name}.csv", index=False)
    ask, state = ["--model", str(done.model)], str(tmp_path / "state")
    main(["predict", str(tmp_path / "whole.csv"), *ask, "-o", str(tmp_path / "out.csv")])
    main(["predict", str(tmp_path / "1.csv"), *ask, "-o", str(tmp_path / "out1.csv"), "--save-state", state])
    main(["predict", str(tmp_path / "2.csv"), *ask, "-o", str(tmp_path / "out2.csv"), "--state", state])
    whole, *parts = (pd.read_csv(tmp_path / f"{name}.csv") for name in ("out", "out1", "out2"))
    joined = pd.concat(parts).sort_values(["sequence", "step"]).reset_index(drop=True)
    pd.testing.assert_frame_equal(joined, whole.sort_values(["sequence", "step"]).reset_index(drop=True), rtol=1e-4)


def test_settings_of_texts_are_refused_in_the_configuration(done: Workspace) -> None:
    assert refusal(lambda: run(done, composed(beams=2, temperature=1.0), "generate")) == ("unsupported", "generate.beams")
    assert (done.samples / "rows.csv").is_file()


def test_a_served_model_draws_as_the_command_does(done: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    write_model(tmp_path / "logged", done.model, "", "m-1")
    served = mlflow.pyfunc.load_model(str(tmp_path / "logged"))
    request = pd.DataFrame([{"mode": "major"}, {"mode": "minor", "pitch": ["f"], "duration": ["first"], "loud": [0.5]}])
    table = served.predict(request, params={"seed": 3, "length": 20, "top_k": 5})
    pd.DataFrame({"melody": "b", "pitch": ["f"], "duration": "first", "loud": 0.5, "mode": "minor"}).to_csv(tmp_path / "b.csv", index=False)
    ask = ["sample", "--model", str(done.model), "--seed", "3", "--length", "20", "--top-k", "5", "-o", str(tmp_path / "out.csv")]
    main([*ask, "--given", "mode=major"])
    ours = pd.read_csv(tmp_path / "out.csv", dtype={"melody": str})
    assert follows(table) > 0.9 and [*table["melody"].unique()] == ["1", "2"]
    first = table[table["melody"] == "1"].reset_index(drop=True)
    pd.testing.assert_frame_equal(first, ours, rtol=1e-5, check_dtype=False)
    second = table[table["melody"] == "2"]
    assert (second["pitch"].iloc[0], second["loud"].iloc[0], {*second["mode"]}) == ("f", 0.5, {"minor"})
    for rows, params, where in (({"mode": "major", "pitch": ["c"]}, {}, "row 1: "), ({"mode": "dorian"}, {}, "row 1, mode: "),
                                ({}, {}, "row 1, mode: "), ({"mode": "major"}, {"beams": 2}, "beams: "),
                                ({"mode": "major"}, {"length": 10_001}, "length: "), ({"mode": "major"}, {"stop": ["c"]}, "stop: ")):
        with pytest.raises(mlflow.MlflowException, match=f"^{where}"):
            served.predict(pd.DataFrame([{"mode": None} | rows]), params=params)


def test_an_exported_model_draws_without_this_package(done: Workspace, tmp_path: Path) -> None:
    main(["export", "--model", str(done.model), "-o", str(tmp_path / "out")])
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == [
        "README.md", "example.py", "fields.json", "inputs.json", "start.onnx", "step.onnx"]
    code = (tmp_path / "out" / "example.py").read_text()
    found = []
    for temperature in (0, 1):
        for seed in range(1 + 9 * temperature):
            own = code.replace("TEMPERATURE, SEED, LENGTH = 1.0, 1, 200", f"TEMPERATURE, SEED, LENGTH = {temperature}, {seed}, 12")
            (tmp_path / "own.py").write_text(own.replace("Path(__file__).parent", f"Path({str(tmp_path / 'out')!r})"))
            output = subprocess.run([sys.executable, "-I", "own.py"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
            (tmp_path / "printed.csv").write_text(output)
            found.append(pd.read_csv(tmp_path / "printed.csv"))
    (greedy,) = unroll.load(done.model).generate([""], given={"mode": "major"}, length=12, greedy=True)
    assert found[0]["pitch"].tolist() == greedy["pitch"].tolist() and found[0]["duration"].tolist() == greedy["duration"].tolist()
    np.testing.assert_allclose(found[0]["loud"], greedy["loud"][:, 0], rtol=1e-3, atol=1e-4)
    drawn = pd.concat([table.assign(melody=number, mode="major") for number, table in enumerate(found[1:])])
    assert follows(drawn) > 0.9 and drawn["pitch"].nunique() == 3 and drawn.groupby("melody").size().nunique() > 1


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
