"""A question and past values beside each sequence, columns of a table: from the source to a served model."""

import json
import sys
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from tests.conftest import run, tiny
from tests.data.conftest import written
from tests.models.conftest import core
from tests.refusals import refusal
from tests.sources.test_table import config, every, open_table, write
from unroll.base.workspace import Workspace
from unroll.commands.predict import predict
from unroll.config.schema import Config
from unroll.prediction.predictor import load
from unroll.tracking.models import write_model

COLUMNS = {"x": ["x"], "question": ["question"], "past": ["low", "high"], "answer": ["answer"], "span": ["span"]}
DATA = {
    "time_zone": None, "frequency": None, "gaps": "ignore",
    "kind": "table", "path": "data/raw/asked.csv", "delimiter": ",", "decimal": ".", "encoding": "utf-8",
    "header": True, "skip": 0, "comment": None, "units": False, "thousands": None, "sheet": None, "wide": None, "columns": COLUMNS, "series": "id", "time": "step", "time_format": None,
    "tokenizer": {"kind": "word", "min_count": 1, "lowercase": True},
    "inputs": {"x": "real", "question": "context_tokens", "past": "context_real"},
    "targets": {"answer": "class", "span": "value"}, "scale": "standard", "missing": "refuse", "na_values": [], "min_length": None, "forecast": None, "validation": 0.2,
    "test": 0.2, "seed": 1, "licence": "none",
}
POOLED = {"pooling": "last", "dropout": 0.0}
MODEL = {
    "inputs": {"x": {"kind": "real", "size": None, "dropout": 0.0},
               "question": {"kind": "context_text", "size": 8, "core": core("gru", 8), "joins": "steps", **POOLED},
               "past": {"kind": "context_series", "size": 4, "core": None, "joins": "start", "pooling": "mean",
                        "dropout": 0.0}},
    "heads": {"answer": {"kind": "classification", "loss": "cross_entropy", **POOLED},
              "span": {"kind": "regression", "loss": "squared_error", **POOLED}},
}


def asked(count: int = 300) -> pd.DataFrame:
    """The answer is the sign of the first or the last step, as asked; the span is the mean of high - low, or 0."""
    draw, rows = np.random.default_rng(0), []
    for number in range(count):
        x = draw.choice([-1.0, 1.0], int(draw.integers(2, 6)))
        where = str(draw.choice(["first", "last"]))
        question = str(draw.choice([f"what is the {where} sign", f"{where} one please", f"tell me now: the {where}?"]))
        low = draw.standard_normal(int(draw.integers(0, 4))).round(2)
        high = (low + draw.random(len(low))).round(2)
        answer = "plus" if x[0 if where == "first" else -1] > 0 else "minus"
        rows += [{"id": f"s{number}", "step": step, "x": value,
                  "question": question if step == 0 or number % 2 else "",      # once, or in every row
                  "low": " ".join(map(str, low)), "high": " ".join(map(str, high)), "answer": answer,
                  "span": round(float((high - low).mean()) if len(low) else 0.0, 4)} for step, value in enumerate(x)]
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    folder = tmp_path_factory.mktemp("asked")
    (folder / "data" / "raw").mkdir(parents=True)
    asked().to_csv(folder / "data" / "raw" / "asked.csv", index=False)
    values: dict[str, Any] = tiny("model=gru", "model.core.hidden_size=16", "train.epochs=40", "train.max_steps=null",
                                  "train.learning_rate=0.02", "runtime.tracking.enabled=false").model_dump(mode="json")
    values["data"] = DATA
    values["model"] |= MODEL
    values["train"] |= {"monitor": "answer/loss"}
    workspace = Workspace(folder, folder)
    run(workspace, Config.model_validate(values), "prepare", "train", "evaluate", "generate")
    return workspace


def test_the_answer_depends_on_the_question(done):
    found = json.loads((done.metrics / "test.json").read_text())
    assert found["test/answer/accuracy"] > 0.97
    assert found["baseline/answer/majority_accuracy"] < 0.7
    assert found["test/span/r2"] > 0.8


def test_the_same_table_predicts_the_same_by_command_in_python_and_in_mlflow(done, tmp_path, monkeypatch):
    file = done.root / "data" / "raw" / "asked.csv"
    predict(file, tmp_path / "out.csv", str(done.model), None, None)
    by_command = pd.read_csv(tmp_path / "out.csv", index_col="sequence")
    kept = pd.read_csv(done.samples / "predictions.csv", index_col="sequence")
    pd.testing.assert_frame_equal(by_command.loc[kept.index], kept, rtol=1e-3)

    given = [{"x": group[["x"]].to_numpy(), "question": group["question"].iloc[0],
              "past": np.array([[float(number) for number in group[name].iloc[0].split()] for name in ("low", "high")]).T}
             for _, group in asked().groupby("id", sort=False)]
    in_python = load(done.model).predict(given)
    np.testing.assert_allclose([value[0] for value in in_python["span"]], by_command["span"], rtol=1e-3, atol=1e-5)

    monkeypatch.setattr(sys, "path", list(sys.path))
    write_model(tmp_path / "logged", done.model, "", "m-1")
    served = mlflow.pyfunc.load_model(str(tmp_path / "logged"))
    assert {column.name for column in served.metadata.signature.inputs} == {"x", "question", "past"}
    found = served.predict(pd.DataFrame(given[:3]))
    assert found["answer"].tolist() == by_command["answer"][:3].tolist()


def test_each_row_may_be_a_text_with_another_beside_it(tmp_path):
    write(tmp_path, "text,question,past\n" + "".join(f"abc {row},q {row % 3},{row} 1 2\n" for row in range(20)))
    source = open_table(config(
        inputs={"text": "tokens", "question": "context_tokens", "past": "context_real"}, targets={"text": "next"},
        columns={"text": ["text"], "question": ["question"], "past": ["past"]},
        tokenizer={"kind": "char", "min_count": 1}), tmp_path)
    for piece in every(source):
        row = int(piece["text"].split()[1])
        assert piece["question"] == f"q {row % 3}" and piece["past"].tolist() == [[row], [1], [2]]


def test_each_text_may_have_a_tokenizer_of_its_own(tmp_path):
    write(tmp_path, "text,question,label\n" + "".join(f"ab {row},what now {row % 2},{row % 2}\n" for row in range(40)))
    char, word = {"kind": "char", "min_count": 1}, {"kind": "word", "min_count": 1, "lowercase": True}
    fields = {"inputs": {"text": "tokens", "question": "context_tokens"}, "targets": {"label": "class"},
              "columns": {"text": ["text"], "question": ["question"], "label": ["label"]}}
    settings = config(**fields, tokenizer={"text": char, "question": word})
    prepared = written(tmp_path, settings, open_table(settings, tmp_path))
    offsets = prepared.own_offsets("question", "test")
    assert set(np.diff(offsets)) == {3} and set(np.diff(prepared.offsets("test"))) <= {5, 6}    # its end is a symbol
    assert prepared.spec.inputs["question"].size == 5       # what, now, 0, 1 and unknown
    for tokenizer, code, where in (({"text": char}, "missing-value", "data.tokenizer"),
                                   ({"text": char, "question": word, "label": word}, "unknown-name", "data.tokenizer.label")):
        assert refusal(lambda: open_table(config(**fields, tokenizer=tokenizer), tmp_path)) == (code, where)    # noqa: B023


HEAD = "id,x,question,past\n"
ASKED: dict[str, Any] = {
    "series": "id", "inputs": {"x": "real", "question": "context_tokens", "past": "context_real"},
    "targets": {"x": "next"}, "columns": {"x": ["x"], "question": ["question"], "past": ["past"]},
    "tokenizer": {"kind": "char", "min_count": 1}}


@pytest.mark.parametrize(("rows", "changes", "code", "where"), [
    ("p,1,why,1\np,2,how,1\n", {}, "conflict", "1.csv, row 3, column 'question'"),
    ("p,1,why,1\np,2,why,2\n", {}, "conflict", "1.csv, row 3, column 'past'"),
    ("o,1,why,2\np,1,why,1 two 3\n", {}, "bad-number", "1.csv, row 3, column 'past'"),
    ("p,1,why,1\n", {"columns": {**ASKED["columns"], "past": ["past", "x"]}}, None, None),
    ("p,1 ,why,1 2\n", {"columns": {**ASKED["columns"], "past": ["x", "past"]}}, "unequal-lengths",
     "1.csv, row 2, column 'past'"),
    ("p,1,why,1\n", {"tokenizer": None}, "missing-value", "data.tokenizer"),
    ("p,1,why,1\n", {"columns": {**ASKED["columns"], "question": ["question", "past"]}}, "unsupported",
     "data.columns.question"),
    ("p,1,why,1\n", {"series": None}, "conflict", "data.inputs.question"),
])
def test_what_cannot_be_read_is_one_line(tmp_path, rows, changes, code, where):
    write(tmp_path, HEAD + rows)
    settings = config(**{**ASKED, **changes})
    if code is None:
        assert every(open_table(settings, tmp_path))[0]["past"].tolist() == [[1, 1]]
    else:
        assert refusal(lambda: every(open_table(settings, tmp_path)), f"{tmp_path}/data/raw/") == (code, where)


def test_a_context_alone_has_no_steps():
    with pytest.raises(ValidationError, match="stand for whole sequences"):
        config(inputs={"question": "context_tokens"}, targets={"y": "class"})


def test_the_context_of_some_sequences_is_read_from_the_file_on_disk(tmp_path: Path) -> None:
    """Rows of several sequences that stand between each other are put in order, their texts, too."""
    write(tmp_path, HEAD + "".join(f"s{row % 7},{row},q{row % 7},{row % 7} {row % 7}\n" for row in range(70)))
    for piece in every(open_table(config(**ASKED, time="x"), tmp_path)):
        number = int(piece["x"][0, 0]) % 7
        assert piece["question"] == f"q{number}" and piece["past"].tolist() == [[number], [number]]
        assert len(piece["x"]) == 10


def test_a_text_with_another_beside_it_is_a_model_that_predicts(tmp_path):
    """The first of four symbols follows from the other text."""
    (tmp_path / "data" / "raw").mkdir(parents=True)
    draw = np.random.default_rng(0)
    letters = ["".join([draw.choice([*"cdef"]), *draw.choice([*"ab"], 8)]) for _ in range(600)]
    spelt = {"c": "see", "d": "deer", "e": "ease", "f": "effort"}
    pd.DataFrame({"text": letters, "spell": [spelt[word[0]] for word in letters], "kind": [word[0] for word in letters]}
                 ).to_csv(tmp_path / "data" / "raw" / "words.csv", index=False)
    values: dict[str, Any] = tiny("model=gru", "model.core.hidden_size=16", "train.epochs=15", "train.max_steps=null",
                                  "generate.prompts=['']", "generate.length=8",
                                  "train.learning_rate=0.02", "runtime.tracking.enabled=false").model_dump(mode="json")
    values["data"] = {**DATA, "path": "data/raw/words.csv", "series": None, "time": None,
                      "columns": {"text": ["text"], "spell": ["spell"], "kind": ["kind"]},
                      "tokenizer": {"kind": "char", "min_count": 1},
                      "inputs": {"text": "tokens", "spell": "context_tokens"}, "targets": {"text": "next", "kind": "class"}}
    values["model"] |= {
        "inputs": {"text": {"kind": "embedding", "size": 8, "dropout": 0.0},
                   "spell": {"kind": "context_text", "size": 8, "core": None, "joins": "start", **POOLED, "pooling": "mean"}},
        "heads": {"text": {"kind": "next_token", "dropout": 0.0, "tied": False}, "kind": MODEL["heads"]["answer"]}}
    values["train"] |= {"monitor": "text/loss"}
    values["generate"] |= {"prompts": [""], "count": 2, "length": 9, "temperatures": []}
    workspace = Workspace(tmp_path, tmp_path)
    run(workspace, Config.model_validate(values), "prepare", "train", "evaluate", "generate")
    assert json.loads((workspace.metrics / "test.json").read_text())["test/kind/accuracy"] == 1
    right, wrong = load(workspace.model).predict_all([{"text": "cabaababb", "spell": spell} for spell in ("see", "ease")])["text"]
    assert right[0] > 0.6 and wrong[0] < 0.1
    assert {file.name for file in workspace.model.glob("*.onnx")} == {"start.onnx", "step.onnx"}
    for letter, spell in spelt.items():     # and it writes what follows from the other text
        texts = load(workspace.model).generate([""] * 10, given={"spell": spell}, length=9, temperature=0.5)
        assert sum(text[0] == letter for text in texts) >= 8, (letter, texts)
    given = json.loads((workspace.samples / "given.json").read_text())
    written = [(workspace.samples / f"00{number}.txt").read_text() for number in (1, 2)]
    assert [spelt[text[0]] for text in written] == [values["spell"] for values in given]
    assert "text_nats" in pd.read_csv(workspace.samples / "predictions.csv")
