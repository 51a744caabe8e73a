"""Tables of several inputs and targets, some of which are known in part."""

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from tests.conftest import tiny
from tests.data.conftest import written
from tests.models.conftest import core
from tests.refusals import refusal
from tests.sources.test_table import config, every, open_table, write
from tests.training.conftest import settings as training
from tests.training.conftest import trained
from unroll.base.errors import UserError
from unroll.config.model import ModelConfig
from unroll.config.sources.ts import Settings
from unroll.evaluation.reports.classification import report
from unroll.models.folder import load_model, save_model
from unroll.prediction.predictor import Predictor
from unroll.sources.common.archive import archive_pieces

INPUTS = {"x": "real", "state": "categories", "age": "static_real", "ward": "static_categories"}
COLUMNS = {"x": ["x1", "x2"], "state": ["state"], "age": ["age"], "ward": ["ward", "side"], "label": ["label"],
           "y": ["y1", "y2"]}
TARGETS = {"label": "class", "y": "values"}
PATIENTS: dict[str, Any] = {"series": "id", "inputs": INPUTS, "targets": TARGETS, "columns": COLUMNS}
HEAD = "id,x1,x2,state,age,ward,side,label,y1,y2\n"


def rows(count: int = 20) -> str:
    """Every third sequence has no label; of each, the second row has no y2, and the label stands in the last row alone."""
    lines = []
    for number in range(count):
        for step in range(3):
            label = "uv"[number % 2] if step == 2 and number % 3 else ""
            lines.append(f"p{number},{step},{number},{'rest' if step else 'walk'},{20 + number},{'ab'[number % 2]},"
                         f"{'lr'[number // 2 % 2]},{label},{number},{'NA' if step == 1 else step}\n")
    return HEAD + "".join(lines)


def test_each_sequence_has_its_steps_its_facts_and_what_is_known_of_it(tmp_path):
    write(tmp_path, rows())
    pieces = every(open_table(config(**PATIENTS), tmp_path))
    assert len(pieces) == 20
    for piece in pieces:
        number = int(piece["x"][0, 1])
        assert piece["x"].tolist() == [[0, number], [1, number], [2, number]]
        assert piece["state"].tolist() == [["walk"], ["rest"], ["rest"]]
        assert piece["age"].tolist() == [20 + number]
        assert piece["ward"].tolist() == ["ab"[number % 2], "lr"[number // 2 % 2]]
        assert piece["label"] == ("uv"[number % 2] if number % 3 else "")
        np.testing.assert_array_equal(piece["y"], [[number, 0], [number, np.nan], [number, 2]])


def test_what_is_not_known_is_a_hole_in_the_prepared_folder(tmp_path):
    write(tmp_path, rows())
    settings = config(**PATIENTS)
    source = open_table(settings, tmp_path)
    prepared = written(tmp_path, settings, source)
    for split in ("train", "validation", "test"):
        pieces = [*source.pieces(split)]
        label, y = prepared.holes("label", split), prepared.holes("y", split)
        assert label is not None and y is not None
        assert label.known.tolist() == [piece["label"] != "" for piece in pieces]
        assert y.known.tolist() == [[True, True], [True, False], [True, True]] * len(pieces)
        assert y.totals.tolist() == np.cumsum([0, *[2, 1, 2] * len(pieces)]).tolist()
        names = prepared.spec.targets["label"].classes
        assert [names[number] for number in np.asarray(prepared.values("label", split))[label.known]] == [
            piece["label"] for piece in pieces if piece["label"]]
    spec = prepared.spec.inputs
    assert (spec["age"].per, spec["x"].per, spec["ward"].width, spec["ward"].categories) == (
        "sequence", "step", 2, (("a", "b"), ("l", "r")))
    # the scale of y2 is that of its known values
    assert prepared.spec.targets["y"].scale.mean[1] == 1


def test_a_field_that_is_known_everywhere_has_no_holes(tmp_path):
    write(tmp_path, rows())
    changed = {**PATIENTS, "targets": {"y": "values"}, "columns": {**COLUMNS, "y": ["y1"]}}
    del changed["columns"]["label"]
    settings = config(**changed)
    prepared = written(tmp_path, settings, open_table(settings, tmp_path))
    assert prepared.holes("y", "train") is None
    assert not [name for name in prepared.files if "known" in name or "totals" in name]


def test_text_rows_have_facts_beside_them(tmp_path):
    write(tmp_path, "text,age,label\n" + "".join(f"abc {number},{number},{'uv'[number % 2]}\n" for number in range(20)))
    settings = config(inputs={"text": "tokens", "age": "static_real"}, targets={"text": "next", "label": "class"},
                      columns={"text": ["text"], "age": ["age"], "label": ["label"]},
                      tokenizer={"kind": "char", "min_count": 1})
    for piece in every(open_table(settings, tmp_path)):
        assert piece["text"] == f"abc {piece['age'][0]:.0f}" and piece["label"] == "uv"[int(piece["age"][0]) % 2]


@pytest.mark.parametrize(("content", "changes", "code", "where"), [
    (HEAD + "p,1,1,rest,20,a,l,u,1,1\np,2,1,rest,21,a,l,u,1,1\n", {}, "conflict", "1.csv, row 3, column 'age'"),
    (HEAD + "p,1,1,rest,20,a,l,u,1,1\np,2,1,rest,20,a,r,u,1,1\n", {}, "conflict", "1.csv, row 3, column 'side'"),
    (HEAD + "p,1,,rest,20,a,l,u,1,1\n", {}, "missing-number", "1.csv, row 2, column 'x2'"),
    (HEAD + "p,1,1,rest,,a,l,u,1,1\n", {}, "missing-number", "1.csv, row 2, column 'age'"),
    (rows(), {"columns": {**COLUMNS, "y": ["y1", "x1"]}}, "conflict", "data.columns.y"),
])
def test_what_cannot_be_read_is_one_line(tmp_path, content, changes, code, where):
    write(tmp_path, content)
    found = refusal(lambda: open_table(config(**{**PATIENTS, **changes}), tmp_path), f"{tmp_path}/data/raw/")
    assert found == (code, where)


@pytest.mark.parametrize("target", ["label", "y"])
def test_a_target_of_which_nothing_is_known_is_refused(tmp_path, target):
    kept = [line.split(",") for line in rows().splitlines()]
    for line in kept[1:]:
        line[7] = "" if target == "label" else line[7]
        line[8:] = ["", ""] if target == "y" else line[8:]
    write(tmp_path, "".join(",".join(line) + "\n" for line in kept))
    settings = config(**PATIENTS)
    source = open_table(settings, tmp_path)
    assert refusal(lambda: written(tmp_path, settings, source), "")[:2] == ("empty", f"data.targets.{target}")


def test_categories_alone_are_read_from_a_table_to_predictions(tmp_path):
    """The tag is a function of the category, so that anything but right would be a mistake on the way."""
    write(tmp_path, "id,word,tag\n" + "".join(f"s{row // 5},{'abc'[row % 3]},{'uvu'[row % 3]}\n" for row in range(200)))
    settings = config(series="id", inputs={"word": "categories"}, targets={"tag": "tag"},
                      columns={"word": ["word"], "tag": ["tag"]})
    prepared = written(tmp_path, settings, open_table(settings, tmp_path))
    model = ModelConfig.model_validate({
        "inputs": {"word": {"kind": "category", "size": 4, "dropout": 0.0}}, "core": core("gru"),
        "heads": {"tag": {"kind": "classification", "loss": "cross_entropy", "pooling": None, "dropout": 0.0}}})
    network, _ = trained(prepared, tmp_path / "work", training(epochs=20, batch_size=4, learning_rate=1.0), model)
    save_model(tmp_path / "model", network, model, prepared)
    loaded = load_model(tmp_path / "model")
    predictor = Predictor(loaded)
    (found,) = predictor.predict([["a", "b", "c", "b"]])
    assert found.argmax(axis=1).tolist() == [0, 1, 0, 1]
    np.testing.assert_allclose(predictor.step(np.array([["a"]]), predictor.memory(1))[0], found[0], rtol=1e-5)
    evaluate = tiny().evaluate
    assert report(loaded, prepared, "tag", evaluate).metrics["test/accuracy"] == 1


@pytest.mark.parametrize("changes", [{"inputs": {"x": "real", "z": "real"}}, {"inputs": {"x": "categories"}}], ids=str)
def test_a_source_of_one_input_refuses_others_where_it_is_configured(changes):
    usual = {"kind": "ts", "train": "data/raw/a.ts", "test": 0.2, "targets": {"y": "class"}, "scale": "none", "missing": "refuse",
             "validation": 0.2, "licence": "none", "seed": 1}
    with pytest.raises(ValidationError, match="one input"):
        Settings.model_validate(usual | changes)


def test_an_archive_has_one_target():
    with pytest.raises(UserError) as caught:
        archive_pieces({"x": "real"}, {"y": "value", "label": "class"}, [], None)
    assert (caught.value.code, caught.value.where) == ("unsupported", "data")
