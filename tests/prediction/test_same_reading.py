"""A prediction from the training files reads the sequences that the source read, whatever the format."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter
from scipy.io import savemat

from tests.prediction.conftest import SPLIT, TABLE, TEXT, core, make, read_table, sequences, shops
from tests.refusals import refusal
from unroll.base.files import sha256
from unroll.commands.predict import predict
from unroll.config.data import DataConfig
from unroll.config.model import ModelConfig
from unroll.data.source import SPLITS, Source
from unroll.data.tokenizers import tokenizer_class
from unroll.models.folder import save_model
from unroll.models.network import build
from unroll.prediction.inputs import read
from unroll.sources import Access, open_source

DRAW = np.random.default_rng(5)
X = DRAW.normal(size=(20, 6, 2))
FORECAST = {"horizon": 4, "context": 8, "season": 3, "log": True, "start": "season", "window": "none", "stride": 1, "eval_stride": 1, "eval_windows": None}
LETTERS = {**TABLE, "path": "data/raw/letters.csv", "inputs": {"text": "tokens"}, "targets": {"tag": "tag"},
           "columns": {"text": ["letter"], "tag": ["tag"]}, "series": "series"}
REALS = {**TABLE, "inputs": {"x": "real"}, "targets": {"label": "class"}, "columns": {"x": ["b", "a"], "label": ["class"]},
         "series": "series", "scale": "none", "missing": "refuse", "na_values": [], "min_length": None}
FOLDER = {"kind": "folder", "path": "data/raw/classes", "delimiter": ";", "decimal": ",", "header": True, "skip": 0, "comment": None, "units": False, "thousands": None, "columns": None,
          "encoding": "utf-8", "licence": "mine", "targets": {"label": "class"}, "scale": "none", "missing": "refuse", "na_values": [], **SPLIT}
ARRAYS = {"kind": "npz", "path": "data/raw/a.npz", "inputs": {"x": "real"}, "targets": {"label": "class"},
          "arrays": {"x": "X", "label": "y"}, "scale": "none", "missing": "refuse", "licence": "mine", **SPLIT}
TS = "@problemName two\n@timeStamps false\n@missing false\n@univariate false\n@dimensions 2\n@equalLength false\n" \
     "@classLabel true a b\n@data\n" + "".join(f"{n},2,3:4,{n},6:{'ab'[n % 2]}\n" for n in range(20))


def table_files(raw: Path) -> None:
    sequences().to_parquet(raw / "reals.parquet")
    sequences().to_csv(raw / "reals.csv", index=False)
    mixed = sequences().sort_values("step", kind="stable")      # rows of all sequences take turns
    mixed.to_csv(raw / "mixed.tsv", index=False, sep="\t")
    sequences().to_csv(raw / "letters.csv", index=False)
    sequences().to_csv(raw / "reals.csv.gz", index=False)
    sequences().to_json(raw / "reals.jsonl", orient="records", lines=True)
    for late in range(2):       # a sequence's rows are in both files
        (raw / "keys" / f"late={late}").mkdir(parents=True)
        sequences()[(sequences()["step"] > 1) == late].to_parquet(raw / "keys" / f"late={late}" / "part-0.parquet")
    header, *rows = (raw / "reals.csv").read_text().splitlines()
    units = ",".join("m" for _ in header.split(","))
    (raw / "beside.csv").write_text("\n".join(["of 2020", header, units, "# all of them", *rows, ""]))
    wide = sequences().pivot(index=["series", "class"], columns="step", values="a").reset_index()
    wide.to_csv(raw / "wide.csv", index=False)
    sequences().pivot(index="step", columns="series", values="a").to_csv(raw / "side.csv")
    words = sequences().assign(letter=[f"word{n % 7}" for n in range(len(sequences()))])
    words.to_csv(raw / "words.csv", index=False)


def recordings(raw: Path) -> None:
    for number in range(20):
        file = raw / "classes" / "ab"[number % 2] / f"{number}.csv"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("u;v\n" + "".join(f"{number},5;{step}\n" for step in range(3 + number)))


def whole_texts(raw: Path) -> None:
    for number in range(20):
        file = raw / "classes" / "ab"[number % 2] / f"{number}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"text {number}\nof two lines\n")


def music(raw: Path) -> None:
    rolls = np.empty((1, 4), object)
    for place in range(4):
        rolls[0, place] = (DRAW.random((5 + place, 88)) < 0.05).astype(np.float64)
    savemat(raw / "music.mat", dict.fromkeys(("traindata", "validdata", "testdata"), rolls))


def nothing(raw: Path) -> None:
    """The files that every project has."""


def arrays(raw: Path) -> None:
    padded = np.concatenate([X, np.full((20, 1, 2), np.nan)], axis=1)
    np.savez(raw / "a.npz", X_train=padded, y_train=np.arange(20) % 2, lengths_train=np.full(20, 6))


def ts_file(raw: Path) -> None:
    (raw / "a.ts").write_text(TS)


# name → what writes the files, section `data`, the file that is predicted from
CASES: dict[str, tuple[Any, dict[str, Any], str]] = {
    "csv": (table_files, {**REALS, "path": "data/raw/reals.csv"}, "reals.csv"),
    "parquet": (table_files, {**REALS, "path": "data/raw/reals.parquet"}, "reals.parquet"),
    "tsv, ordered by time": (table_files, {**REALS, "path": "data/raw/mixed.tsv", "delimiter": "\t", "time": "step"},
                             "mixed.tsv"),
    "csv.gz": (table_files, {**REALS, "path": "data/raw/reals.csv.gz"}, "reals.csv.gz"),
    "lines beside the rows": (table_files, {**REALS, "path": "data/raw/beside.csv", "skip": 1, "comment": "#",
                                            "units": True}, "beside.csv"),
    "jsonl": (table_files, {**REALS, "path": "data/raw/reals.jsonl"}, "reals.jsonl"),
    "folders whose names are values": (table_files, {**REALS, "path": "data/raw/keys", "time": "step", "columns": {
        "x": ["b", "late"], "label": ["class"]}}, "keys"),
    "a series in each row": (table_files, {**REALS, "path": "data/raw/wide.csv", "wide": ["series", "class"], "columns": {
        "x": ["value"], "label": ["class"]}}, "wide.csv"),
    "a series in each column": (table_files, {**REALS, "path": "data/raw/side.csv", "wide": ["step"], "time": "step", "columns":
                                {"x": ["value"]}, "targets": {"x": "next"}, "series": "name"}, "side.csv"),
    "letters": (table_files, LETTERS, "letters.csv"),
    "words": (table_files, {**LETTERS, "path": "data/raw/words.csv",
                            "tokenizer": {"kind": "word", "min_count": 1, "lowercase": False}}, "words.csv"),
    "rows of text": (nothing, {**TABLE, "path": "data/raw/texts.csv", "inputs": {"text": "tokens"}, "series": None,
                               "targets": {"label": "class"}, "columns": {"text": ["text"], "label": ["class"]}},
                     "texts.csv"),
    "one long table": (nothing, {**TABLE, "path": "data/raw/shops.csv", "inputs": {"x": "real"}, "series": None,
                                 "targets": {"x": "next"}, "columns": {"x": ["sold"]}}, "shops.csv"),
    "recordings": (recordings, {**FOLDER, "inputs": {"x": "real"}, "tokenizer": None}, "classes"),
    "texts": (whole_texts, {**FOLDER, "inputs": {"text": "tokens"}, "tokenizer": TEXT["tokenizer"]}, "classes"),
    "lines": (nothing, {**TEXT, "unit": "line"}, "corpus.txt"),
    "stream": (nothing, {**TEXT, "unit": "stream"}, "corpus.txt"),
    "npz": (arrays, ARRAYS, "a.npz"),
    "ts": (ts_file, {"kind": "ts", "train": "data/raw/a.ts", "inputs": {"x": "real"}, "targets": {"label": "class"},
                     "scale": "none", "missing": "refuse", "licence": "mine", **SPLIT}, "a.ts"),
}


def content(source: Source, field: str) -> dict[str, Any]:
    """Name → sequence, of all splits; a stream is one, and lines are numbered by their text alone."""
    pieces = [piece[field] for split in SPLITS for piece in source.pieces(split)]
    places = [place.name for split in SPLITS for place in source.places(split)]
    if source.layout == "stream":
        return {"1": "".join(pieces) if isinstance(pieces[0], str) else np.concatenate(pieces)}
    return dict(zip(places or pieces, pieces, strict=True))


@pytest.mark.parametrize("name", CASES)
def test_a_prediction_reads_what_the_source_read(tmp_path: Path, name: str) -> None:
    write, data, file = CASES[name]
    if name == "ts":
        pytest.importorskip("aeon")
    (tmp_path / "data" / "raw").mkdir(parents=True)
    write(tmp_path / "data" / "raw")
    _, prepared = make(tmp_path, data)
    source, _ = open_source(TypeAdapter(DataConfig).validate_python(data), Access(tmp_path))
    (field,) = data["inputs"]
    expected = content(source, field)
    inputs = read(tmp_path / "data" / "raw" / file, prepared.spec)
    found = dict(zip(inputs.names, inputs.sequences, strict=True))
    if name == "lines":     # the source does not number them
        found = {text: text for text in found.values()}
    assert sorted(found) == sorted(expected)
    for key, sequence in expected.items():
        np.testing.assert_array_equal(found[key], sequence, strict=True)


@pytest.mark.parametrize("tokenizer", [{"kind": "char", "min_count": 1}, {"kind": "word", "min_count": 1, "lowercase": False}],
                         ids=["char", "word"])
def test_a_row_s_values_are_those_of_each_symbol_of_its_text(tmp_path: Path, tokenizer: dict[str, Any]) -> None:
    data = {**TABLE, "path": "data/raw/phrases.csv", "series": "series", "targets": {"on": "class"}, "tokenizer": tokenizer,
            "inputs": {"text": "tokens", "tag": "categories", "x": "real", "age": "static_real", "past": "context_real",
                       "codes": "context_categories"},
            "columns": {"text": ["text"], "tag": ["tag"], "x": ["a", "b"], "age": ["age"], "past": ["past"], "codes": ["code"],
                        "on": ["on"]}}
    (tmp_path / "data" / "raw").mkdir(parents=True)
    (tmp_path / "data" / "raw" / "phrases.csv").write_text("series,text,tag,a,b,age,past,code,on\n" + "".join(
        f"s{n},a fine {'day' * n},t{n % 3},{n},1.5,{n},1 2,A1 B{n % 2},{n % 2}\ns{n},fgh,u,{n},2.5,{n},,,{n % 2}\n" for n in range(12)))
    _, prepared = make(tmp_path, data)
    source, _ = open_source(TypeAdapter(DataConfig).validate_python(data), Access(tmp_path))
    expected = {name: content(source, name) for name in data["inputs"]}
    inputs = read(tmp_path / "data" / "raw" / "phrases.csv", prepared.spec, tokenizer_class(tokenizer["kind"]).count)
    assert len(inputs.names) == 12
    for key, sequence in zip(inputs.names, inputs.sequences, strict=True):
        assert len(sequence["tag"]) == tokenizer_class(tokenizer["kind"]).count(sequence["text"])
        for name, values in sequence.items():
            np.testing.assert_array_equal(values, expected[name][key])


def test_a_model_predicts_from_a_table_whose_rows_have_several_words(tmp_path: Path) -> None:
    data = {**TABLE, "path": "data/raw/phrases.csv", "series": "id", "targets": {"on": "class"},
            "inputs": {"text": "tokens", "tag": "categories"}, "columns": {"text": ["text"], "tag": ["tag"], "on": ["on"]},
            "tokenizer": {"kind": "word", "min_count": 1, "lowercase": False}}
    file = tmp_path / "data" / "raw" / "phrases.csv"
    file.parent.mkdir(parents=True)
    file.write_text("id,text,tag,on\n" + "".join(
        f"s{each},a fine day {each},t{each % 3},{'ny'[each % 2]}\ns{each},fgh,u,{'ny'[each % 2]}\n" for each in range(40)))
    _, prepared = make(tmp_path, data)
    model = ModelConfig.model_validate({
        "inputs": {"text": {"kind": "embedding", "size": 4, "dropout": 0.0},
                   "tag": {"kind": "category", "size": 2, "dropout": 0.0}}, "core": core("gru"),
        "heads": {"on": {"kind": "classification", "loss": "cross_entropy", "pooling": "last", "dropout": 0.0}}})
    save_model(tmp_path / "model", build(model, prepared.spec, 1), model, prepared)
    predict(file, tmp_path / "out.csv", str(tmp_path / "model"), None, None)
    assert len(read_table(tmp_path / "out.csv")) == 40


def test_arrays_of_several_inputs_are_read_by_their_names(tmp_path: Path) -> None:
    data = {**ARRAYS, "targets": {"label": "class"},
            "inputs": {"x": "real", "state": "categories", "age": "static_real", "ward": "static_categories"},
            "arrays": {"x": "pulse", "state": "state", "age": "age", "ward": "ward", "label": "y"}}
    lengths = np.arange(20) % 6 + 1
    fields: dict[str, Any] = {"pulse": X, "state": (X[..., 0] > 0).astype(float), "age": np.arange(20), "lengths": lengths,
                              "ward": np.array([[b"a", b"b"], [b"c", b"b"]] * 10)}
    (tmp_path / "data" / "raw").mkdir(parents=True)
    np.savez(tmp_path / "data" / "raw" / "a.npz", y_train=np.arange(20) % 2,
             **{f"{name}_train": values for name, values in fields.items()})
    _, prepared = make(tmp_path, data)
    source, _ = open_source(TypeAdapter(DataConfig).validate_python(data), Access(tmp_path))
    expected = {name: content(source, name) for name in data["inputs"]}
    np.savez(tmp_path / "new.npz", **fields)
    for file in (tmp_path / "data" / "raw" / "a.npz", tmp_path / "new.npz"):
        inputs = read(file, prepared.spec)
        assert len(inputs.names) == 20
        for key, sequence in zip(inputs.names, inputs.sequences, strict=True):
            for name, values in sequence.items():
                np.testing.assert_array_equal(np.atleast_1d(values).ravel(), expected[name][key].ravel())
    padded = np.where(np.arange(6) < lengths[:, None], fields["state"], -0.5)       # padding may be anything
    np.savez(tmp_path / "new.npz", **fields | {"state": padded})
    inputs = read(tmp_path / "new.npz", prepared.spec)
    for key, sequence in zip(inputs.names, inputs.sequences, strict=True):
        np.testing.assert_array_equal(sequence["state"], expected["state"][key].ravel())
    for name, values, code, where in (
        ("age", np.arange(19), "unequal-lengths", "new.npz: age"), ("state", X[..., 0], "bad-label", "new.npz: state[0, 0]"),
        ("ward", np.full((20, 2), b"\xff"), "bad-label", "new.npz: ward[0]"),
        ("age", np.ones((20, 2, 2)), "wrong-type", "new.npz: age"), ("ages", np.arange(20), "missing-value", "new.npz"),
    ):
        others = {other: values for other, values in fields.items() if not name.startswith(other)}
        np.savez(tmp_path / "new.npz", **others | {name: values})
        assert refusal(lambda: read(tmp_path / "new.npz", prepared.spec), f"{tmp_path}/") == (code, where)


def test_series_to_be_forecast_are_read_to_their_ends(tmp_path: Path) -> None:
    data = {**TABLE, "path": "data/raw/shops.csv", "inputs": {"x": "real"}, "targets": {"x": "forecast"},
            "columns": {"x": ["sold", "price"]}, "series": "shop", "time": "month", "forecast": FORECAST}
    _, prepared = make(tmp_path, data)
    inputs = read(tmp_path / "data" / "raw" / "shops.csv", prepared.spec)
    source, _ = open_source(TypeAdapter(DataConfig).validate_python(data), Access(tmp_path))
    for name, sequence, train, test in zip(inputs.names, inputs.sequences, source.pieces("train"), source.pieces("test"),
                                           strict=True):
        np.testing.assert_array_equal(sequence, shops()[shops()["shop"] == name][["sold", "price"]])
        np.testing.assert_array_equal(sequence[: len(train["x"])], train["x"])
        np.testing.assert_array_equal(sequence[-len(test["x"]) :], test["x"])


def test_piano_rolls_are_those_of_the_test_split(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNROLL_CACHE", str(tmp_path / "cache"))
    music(tmp_path)
    file = tmp_path / "music.mat"
    data = {"kind": "pianoroll", "url": file.as_uri(), "sha256": sha256(file), "licence": "mine",
            "inputs": {"x": "real"}, "targets": {"x": "next_labels"}}
    _, prepared = make(tmp_path, data)
    source, _ = open_source(TypeAdapter(DataConfig).validate_python(data), Access(tmp_path))
    for sequence, piece in zip(read(file, prepared.spec).sequences, source.pieces("test"), strict=True):
        np.testing.assert_array_equal(sequence, piece["x"])
