"""Every kind of file: the same sequences out of each, or one line that says what is wrong, where, and what next."""

import bz2
import datetime
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

from tests.prediction.conftest import SPLIT, TEXT, Made, Make, asked, make, refused, save_random, sequences, shops
from tests.prediction.conftest import core as cell_of
from tests.refusals import refusal
from unroll.prediction.inputs import Inputs, read

VALUES = np.array([[1.5, -2.0], [3.0, 4.25], [0.0, 7.0]])
ARRAYS = {"kind": "npz", "path": "data/raw/arrays.npz", "inputs": {"x": "real"},
          "arrays": {"x": "X", "label": "y"}, "scale": "standard", "missing": "refuse",
          "licence": "mine", **SPLIT}
POOLED = {"kind": "classification", "loss": "cross_entropy", "pooling": "last", "dropout": 0.0}


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A model of two numbers a step that was trained on arrays, which have no columns."""
    folder = tmp_path_factory.mktemp("plain")
    (folder / "data" / "raw").mkdir(parents=True)
    draw = np.random.default_rng(0)
    np.savez(folder / "data" / "raw" / "arrays.npz", X_train=draw.normal(size=(20, 6, 2)), y_train=np.arange(20) % 2)
    workspace, prepared = make(folder, {**ARRAYS, "targets": {"label": "class"}})
    return Made(workspace, prepared, workspace.model, save_random(prepared, workspace.model, POOLED, cell_of("gru"), 0))


@pytest.fixture(scope="session")
def reviews(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A model of whole files of text, as a folder for each class has them."""
    folder = tmp_path_factory.mktemp("reviews")
    for name in ("good", "bad"):
        (folder / "data" / "raw" / "reviews" / name).mkdir(parents=True)
        for number in range(8):
            file = folder / "data" / "raw" / "reviews" / name / f"{number}.txt"
            file.write_text(f"{name}\nof {number}\n")
    data = {"kind": "folder", "path": "data/raw/reviews", "delimiter": ",", "decimal": ".", "header": True, "skip": 0, "comment": None, "units": False, "thousands": None, "columns": None,
            "scale": "none", "missing": "refuse", "na_values": [], "encoding": "utf-8", "tokenizer": TEXT["tokenizer"], "licence": "mine",
            "inputs": {"text": "tokens"}, "targets": {"label": "class"}, **SPLIT}
    workspace, prepared = make(folder, data)
    return Made(workspace, prepared, workspace.model, save_random(prepared, workspace.model, POOLED, cell_of("gru"), 0))


def write(path: Path, content: str | bytes | pd.DataFrame | dict[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, pd.DataFrame):
        content.to_parquet(path) if path.suffix == ".parquet" else content.to_csv(path, index=False)
    elif isinstance(content, dict):
        with path.open("wb") as file:
            np.savez(file, **content)
    else:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def given(made: Made, path: Path) -> Inputs:
    return read(path, made.predictor.spec)


# -- tables -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", [".csv", ".parquet", ".txt"])
def test_a_table_is_read_as_it_was_trained_on(zoo: Make, tmp_path: Path, ending: str) -> None:
    table = sequences()[["step", "b", "series", "a", "class"]]       # in another order, and with what is not asked for
    found = given(zoo("tag"), write(tmp_path / f"given{ending}", table))
    assert list(found.names) == [f"s{number}" for number in range(24)] and found.times is None
    expected = sequences().groupby("series", sort=False)[["a", "b"]]
    for one, (_, other) in zip(found.sequences, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_letters_of_one_sequence_are_one_text(zoo: Make, tmp_path: Path) -> None:
    found = given(zoo("text_tag"), write(tmp_path / "given.csv", sequences()))
    assert list(found.sequences) == ["".join(each) for _, each in sequences().groupby("series", sort=False)["letter"]]


def test_a_row_is_a_text_without_series(zoo: Make, tmp_path: Path) -> None:
    found = given(zoo("text_class"), write(tmp_path / "given.csv", 'text\nabc\n"a,\n""b"""\n'))
    assert (list(found.names), list(found.sequences)) == (["1", "2"], ["abc", 'a,\n"b"'])


def test_series_have_their_times(zoo: Make, tmp_path: Path) -> None:
    found = given(zoo("forecast"), write(tmp_path / "given.csv", shops()))
    assert found.times is not None
    assert [list(each) for each in found.times] == [list(shops()["month"][:60])] * 3
    table = shops().assign(month=pd.to_datetime(shops()["month"]).dt.date)
    dated = given(zoo("forecast"), write(tmp_path / "given.parquet", table))
    assert dated.times is not None and list(dated.times[0]) == list(found.times[0])


def test_any_table_is_read_by_its_columns_of_numbers(plain: Made, tmp_path: Path) -> None:
    table = pd.DataFrame(VALUES, columns=["u", "v"])
    files: dict[str, Any] = {
        "1.csv": table, "2.parquet": table, "3.csv": table.assign(note="x")[["note", "u", "v"]],
        "4.tsv": "u\tv\r\n1.5\t-2\r\n3\t4.25\r\n0\t7\r\n", "5.csv": "\ufeffu,v\n1.5,-2\n3,4.25\n0,7",
    }
    for path, content in files.items():
        found = given(plain, write(tmp_path / path, content))
        assert list(found.names) == ["1"]
        np.testing.assert_array_equal(found.sequences[0], VALUES)
    rows = table.assign(sequence=["b", "b", "a"])
    for ending in (".csv", ".parquet"):
        found = given(plain, write(tmp_path / f"6{ending}", rows))
        assert list(found.names) == ["b", "a"]
        np.testing.assert_array_equal(found.sequences[0], VALUES[[0, 1]])
        np.testing.assert_array_equal(found.sequences[1], VALUES[[2]])


# -- text -------------------------------------------------------------------------------------------------------------


def test_lines_are_called_by_their_number(zoo: Make, tmp_path: Path) -> None:
    found = given(zoo("lines"), write(tmp_path / "given.txt", b"\xef\xbb\xbfab\r\n\r\ncd\r\n \r\ne"))
    assert (list(found.names), list(found.sequences)) == (["1", "3", "4", "5"], ["ab", "cd", " ", "e"])


def test_a_stream_is_one_text(zoo: Make, tmp_path: Path) -> None:
    found = given(zoo("stream"), write(tmp_path / "given.txt", b"\xef\xbb\xbfab\r\n\r\ncd\r\n"))
    assert (list(found.names), list(found.sequences)) == (["1"], ["ab\n\ncd\n"])


def test_a_file_is_a_text_where_files_were(reviews: Made, tmp_path: Path) -> None:
    write(tmp_path / "in" / "one.txt", "good\nof 2\n")
    write(tmp_path / "in" / "more" / "two.txt", "bad\r\nof 3")
    found = given(reviews, tmp_path / "in")
    assert (list(found.names), list(found.sequences)) == (["more/two.txt", "one.txt"], ["bad\nof 3", "good\nof 2"])
    # as the training split has it
    table = asked(reviews, reviews.workspace.root / "data" / "raw" / "reviews" / "good", tmp_path / "out.csv")
    ids = reviews.predictor.model.tokenizers["text"].encode("good\nof 0")
    (probabilities,) = reviews.predictor.predict([[*ids, reviews.predictor.model.tokenizers["text"].end]])
    np.testing.assert_allclose(table.iloc[0][["p_bad", "p_good"]].astype(float), probabilities, rtol=1e-5)


# -- arrays and archives ----------------------------------------------------------------------------------------------


def test_arrays(plain: Made, tmp_path: Path) -> None:
    x = np.stack([VALUES, VALUES + 1])
    padded = np.concatenate([x, np.full((2, 1, 2), np.nan)], axis=1)
    for number, arrays in enumerate([
        {"X": x}, {"X_test": x, "X_train": x * 9}, {"anything": x}, {"X": x.astype(np.float16)}, {"X": x, "y": [1, 0]},
        {"X": padded, "lengths": np.array([3, 3])}, {"X_test": padded, "lengths_test": np.array([3, 3])},
        {"X": x, "lengths_test": np.array([1, 1])},
    ]):
        found = given(plain, write(tmp_path / f"{number}.npz", arrays))
        assert list(found.names) == ["1", "2"]
        np.testing.assert_array_equal(np.stack(found.sequences), x)
    found = given(plain, write(tmp_path / "cut.npz", {"X": padded, "lengths": np.array([1, 3])}))
    assert [len(each) for each in found.sequences] == [1, 3]


def test_cases_of_a_ts_file(plain: Made, tmp_path: Path) -> None:
    text = ("@problemName two\n@timeStamps false\n@missing false\n@univariate false\n@dimensions 2\n"
            "@equalLength false\n@classLabel true a b\n@data\n1,2,3:4,5,6:a\n7,8:9,10:b\n")
    found = given(plain, write(tmp_path / "given.ts", text))
    assert list(found.names) == ["1", "2"]
    np.testing.assert_array_equal(found.sequences[0], [[1, 4], [2, 5], [3, 6]])
    np.testing.assert_array_equal(found.sequences[1], [[7, 9], [8, 10]])


# -- folders ----------------------------------------------------------------------------------------------------------


def test_a_folder_is_called_by_its_files(plain: Made, tmp_path: Path) -> None:
    table = pd.DataFrame(VALUES, columns=["u", "v"])
    write(tmp_path / "in" / "b.csv", table)
    write(tmp_path / "in" / "deep" / "c.parquet", table.assign(sequence=["x", "x", "y"]))
    write(tmp_path / "in" / "a.npz", {"X": VALUES[None]})
    write(tmp_path / "in" / ".hidden.csv", "no\nnumbers")
    write(tmp_path / "in" / ".cache" / "d.csv", "no\nnumbers")
    write(tmp_path / "in" / "notes.md", "no numbers")
    found = given(plain, tmp_path / "in")
    assert list(found.names) == ["a.npz", "b.csv", "deep/c.parquet:x", "deep/c.parquet:y"]
    assert [len(each) for each in found.sequences] == [3, 3, 2, 1]


def test_series_in_a_folder_keep_their_times(zoo: Make, tmp_path: Path) -> None:
    for name, rows in shops().groupby("shop"):
        write(tmp_path / "in" / f"{len(str(name))}.csv", rows)
    table = asked(zoo("forecast"), tmp_path / "in", tmp_path / "out.csv")
    assert table["time"].tolist() == ["2020-01-01", "2020-02-01", "2020-03-01", "2020-04-01"] * 3
    assert table["sequence"].unique().tolist() == ["16.csv", "3.csv", "5.csv"]


# -- what cannot be read ----------------------------------------------------------------------------------------------


def rows(text: str) -> str:
    return "series,step,a,b,letter,shop,month,sold,price,text\n" + text


FINE = "s,1,1,2,a,n,2020-01-01,1,1,t\n"
WRONG: list[tuple[str, str, Any, str, str]] = [
    # model, file, content, code, place
    ("tag", "x.csv", rows("s,1,1,x,a,n,2020-01-01,1,1,t\n"), "bad-number", "x.csv, row 2, column 'b'"),
    ("tag", "x.csv", rows(FINE + "s,1,1,,a,n,2020-01-01,1,1,t\n"), "missing-number", "x.csv, row 3, column 'b'"),
    ("tag", "x.csv", rows("s,1,nan,2,a,n,2020-01-01,1,1,t\n"), "missing-number", "x.csv, row 2, column 'a'"),
    ("tag", "x.csv", rows("s,1,inf,2,a,n,2020-01-01,1,1,t\n"), "bad-number", "x.csv, row 2, column 'a'"),
    ("tag", "x.csv", rows('s,1,"1,5",2,a,n,2020-01-01,1,1,t\n'), "bad-number", "x.csv, row 2, column 'a'"),
    ("tag", "x.csv", rows(",1,1,2,a,n,2020-01-01,1,1,t\n"), "empty", "x.csv, row 2, column 'series'"),
    ("tag", "x.csv", rows("s,1,1\n"), "unequal-lengths", "x.csv, row 2"),
    ("tag", "x.csv", rows(FINE + FINE.replace("s,", "r,") + FINE), "out-of-order", "x.csv, row 4, column 'series'"),
    ("tag", "x.csv", "series,a,c\ns,1,2\n", "unknown-name", "x.csv"),
    ("tag", "x.csv", "series;a;b\ns;1;2\n", "unknown-name", "x.csv"),
    ("tag", "x.csv", "series,a,a,b\ns,1,2,3\n", "ambiguous", "x.csv"),
    ("tag", "x.csv", "", "empty", "x.csv"),
    ("tag", "x.csv", rows(""), "empty", "x.csv"),
    ("tag", "x.csv", b"series,a,b\ns,1,\xff\xfe2\n", "unreadable", "x.csv"),
    ("tag", "x.parquet", b"series,a,b\ns,1,2\n", "unreadable", "x.parquet"),
    ("tag", "x.parquet", b"PAR1" + bytes(100) + b"PAR1", "unreadable", "x.parquet"),
    ("tag", "x.txt", "a prose,\nnot a table\n", "unknown-name", "x.txt"),
    ("tag", "x.ts", "@data\nabc\n", "wrong-type", "x.ts: sequence 1"),
    ("tag", "x.xls", b"PK\x03\x04", "unsupported", "x.xls"),
    ("tag", "x.xlsx", b"PK\x03\x04", "unreadable", "x.xlsx"),
    ("tag", "x", "a,b\n", "unsupported", "x"),
    ("tag", "x.npz", {"X": np.zeros((2, 3, 4))}, "wrong-type", "x.npz: sequence 1"),
    ("forecast", "x.csv", rows(FINE * 2), "out-of-order", "x.csv, row 3, column 'month'"),
    ("forecast", "x.csv", rows(FINE), "too-short", "x.csv: sequence n"),
    ("forecast", "x.csv", rows(FINE.replace("2020-01-01", "soon")), "bad-time", "x.csv, row 2, column 'month'"),
    ("forecast", "x.csv", rows(FINE.replace("2020-01-01", "")), "empty", "x.csv, row 2, column 'month'"),
    ("forecast", "x.csv", shops().assign(sold=shops()["sold"].where(shops().index != 55, -1.5)),
     "out-of-range", "x.csv: sequence north, step 56, number 1"),
    ("lines", "x.txt", "", "empty", "x.txt"),
    ("lines", "x.txt", "\n\r\n\n", "empty", "x.txt"),
    ("stream", "x.txt", "", "empty", "x.txt: sequence 1"),
    ("stream", "x.txt", b"caf\xe9 a la cr\xe8me br\xfbl\xe9e", "unreadable", "x.txt"),
    ("stream", "x.npz", {"X": np.zeros((2, 3, 4))}, "wrong-type", "x.npz: sequence 1"),
    ("stream", "x.csv", "words\nabc\n", "unknown-name", "x.csv"),
    ("text_class", "x.csv", rows(FINE.replace(",t\n", ",\n")), "empty", "x.csv, row 2, column 'text'"),
    ("text_class", "x.csv", "words\nabc\n", "unknown-name", "x.csv"),
    ("text_tag", "x.csv", rows("s,1,1,2,,n,2020-01-01,1,1,t\n"), "empty", "x.csv, row 2, column 'letter'"),
]


@pytest.mark.parametrize(("name", "file", "content", "code", "place"), WRONG)
def test_what_cannot_be_read_is_one_line(
    zoo: Make, tmp_path: Path, name: str, file: str, content: Any, code: str, place: str
) -> None:
    path = write(tmp_path / file, content)
    (tmp_path / "out.csv").write_text("mine")
    assert refusal(lambda: asked(zoo(name), path, tmp_path / "out.csv"), f"{tmp_path}/") == (code, place)
    assert (tmp_path / "out.csv").read_text() == "mine"
    assert {each.name for each in tmp_path.iterdir()} == {file, "out.csv"}


PLAIN_WRONG: list[tuple[str, Any, str, str]] = [
    ("x.csv", "u,v\n1,2\n3,\n", "missing-number", "x.csv, row 3, column 'v'"),
    ("x.csv", "u,v\n1,2\n3,n/a\n", "missing-number", "x.csv, row 3, column 'v'"),
    ("x.csv", "u,v,w\n1,2,3\n", "unequal-lengths", "x.csv"),
    ("x.csv", "u;v\n1;2\n", "unequal-lengths", "x.csv"),
    ("x.csv", "1.5,2\n3,4\n", "missing-value", "x.csv, row 1"),
    ("x.csv", "sequence,u,v\nb,1,2\na,3,4\nb,5,6\n", "out-of-order", "x.csv, row 4, column 'sequence'"),
    ("x.csv", "sequence,u,v\n,1,2\n", "empty", "x.csv, row 2, column 'sequence'"),
    ("x.parquet", pd.DataFrame({"u": [1.0], "v": [datetime.date(2020, 1, 1)]}), "wrong-type", "x.parquet, column 'v'"),
    ("x.parquet", pd.DataFrame({"u": [1.0, None], "v": [1.0, 2.0]}), "missing-number", "x.parquet, row 2, column 'u'"),
    ("x.txt", "1 2\n", "unsupported", "x.txt"),
    ("x.npz", {"X": VALUES}, "wrong-type", "x.npz: sequence 1"),
    ("x.npz", {"X": np.zeros(3)}, "wrong-type", "x.npz: X"),
    ("x.npz", {"X": np.zeros((0, 3, 2))}, "empty", "x.npz"),
    ("x.npz", {"X": np.zeros((1, 0, 2))}, "wrong-type", "x.npz: sequence 1"),
    ("x.npz", {"A": np.zeros((1, 3, 2)), "B": np.zeros(1)}, "missing-value", "x.npz"),
    ("x.npz", {}, "missing-value", "x.npz"),
    ("x.npz", {"X": np.full((1, 3, 2), np.nan)}, "missing-number", "x.npz: sequence 1, step 1, number 1"),
    ("x.npz", {"X": np.array([[["1", "2"]]])}, "wrong-type", "x.npz: sequence 1"),
    ("x.npz", {"X": np.array([[[None, 2]]])}, "unsupported", "x.npz: X"),
    ("x.npz", {"X": np.zeros((1, 3, 2)), "lengths": np.array([4])}, "out-of-range", "x.npz: lengths[0]"),
    ("x.npz", {"X": np.zeros((2, 3, 2)), "lengths": np.array([3, 0])}, "out-of-range", "x.npz: lengths[1]"),
    ("x.npz", {"X": np.zeros((2, 3, 2)), "lengths": np.array([3, -1])}, "out-of-range", "x.npz: lengths[1]"),
    ("x.npz", {"X": np.zeros((2, 3, 2)), "lengths": np.array([3])}, "unequal-lengths", "x.npz: lengths"),
    ("x.npz", {"X": np.zeros((1, 3, 2)), "lengths": np.array([2.5])}, "unequal-lengths", "x.npz: lengths"),
    ("x.npz", b"", "unreadable", "x.npz"),
    ("x.npz", b"PK\x03\x04" + bytes(50), "unreadable", "x.npz"),
    ("x.npz", b"\x80\x04N.", "unreadable", "x.npz"),
    ("x.npz", b"\x93NUMPY\x01\x00", "unreadable", "x.npz"),
    ("x.npz", bz2.compress(b"x"), "unreadable", "x.npz"),
    ("x.ts", "@problemName x\n@timeStamps false\n@missing true\n@univariate false\n@dimensions 2\n@equalLength true\n"
     "@seriesLength 2\n@classLabel false\n@data\n1,2:4,?\n", "missing-number", "x.ts: sequence 1, step 2, number 2"),
    ("x.ts", "", "empty", "x.ts"),
]


@pytest.mark.parametrize(("file", "content", "code", "place"), PLAIN_WRONG)
def test_what_cannot_be_read_as_numbers_is_one_line(
    plain: Made, tmp_path: Path, file: str, content: Any, code: str, place: str
) -> None:
    path = write(tmp_path / file, content)
    assert refusal(lambda: asked(plain, path, tmp_path / "out.csv"), f"{tmp_path}/") == (code, place)
    assert [each.name for each in tmp_path.iterdir()] == [file]


def test_a_damaged_array_is_one_line(plain: Made, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((1, 3, 2)))
    (tmp_path / "x.npy").rename(tmp_path / "single.npz")
    assert refusal(lambda: given(plain, tmp_path / "single.npz"), tmp_path) == ("unreadable", "/single.npz")
    np.savez_compressed(tmp_path / "fine.npz", X=np.random.default_rng(0).normal(size=(9, 9, 2)))
    content = (tmp_path / "fine.npz").read_bytes()
    for place in (60, 200, 600, len(content) - 12):
        write(tmp_path / "bad.npz", content[:place] + b"\xff\x00\xff" + content[place + 3 :])
        assert refusal(lambda: given(plain, tmp_path / "bad.npz"), tmp_path)[0] in ("damaged", "unreadable")
    write(tmp_path / "short.npz", content[:300])
    assert refusal(lambda: given(plain, tmp_path / "short.npz"), tmp_path) == ("unreadable", "/short.npz")
    with zipfile.ZipFile(tmp_path / "other.npz", "w") as file:
        file.writestr("X.npy", "no array")
    assert refusal(lambda: given(plain, tmp_path / "other.npz"), tmp_path) == ("wrong-type", "/other.npz: X")


def test_nested_columns_are_no_numbers(plain: Made, tmp_path: Path) -> None:
    pa.parquet.write_table(pa.table({"u": [[1.0], [2.0]], "v": [1.0, 2.0]}), tmp_path / "x.parquet")
    assert refusal(lambda: given(plain, tmp_path / "x.parquet"), tmp_path) == ("wrong-type", "/x.parquet, column 'u'")
    pa.parquet.write_table(pa.table({"u": [[1.0]], "v": [1.0], "w": [2.0]}), tmp_path / "y.parquet")
    np.testing.assert_array_equal(given(plain, tmp_path / "y.parquet").sequences[0], [[1.0, 2.0]])


def test_folders_without_files(plain: Made, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    assert refusal(lambda: given(plain, tmp_path / "in"), tmp_path) == ("empty", "/in")
    write(tmp_path / "in" / "notes.md", "x")
    assert refusal(lambda: given(plain, tmp_path / "in"), tmp_path) == ("empty", "/in")
    assert refusal(lambda: given(plain, tmp_path / "none.csv"), tmp_path) == ("missing-file", "/none.csv")
    write(tmp_path / "in" / "a.csv", pd.DataFrame(VALUES, columns=["u", "v"]))
    write(tmp_path / "in" / "b.csv", "u,v\n1,x\n")
    assert refusal(lambda: given(plain, tmp_path / "in"), tmp_path) == ("bad-number", "/in/b.csv, row 2, column 'v'")
    write(tmp_path / "in" / "b.csv", {"X": np.full((1, 2, 2), np.nan)})
    (tmp_path / "in" / "b.csv").rename(tmp_path / "in" / "b.npz")
    said = refused(lambda: asked(plain, tmp_path / "in", tmp_path / "out.csv"))
    assert "sequence b.npz, step 1, number 1: missing" in said


def test_a_name_that_is_no_text_is_written_all_the_same(plain: Made, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for name in (b"\xff.csv", b"a.csv"):
        Path(os.fsdecode(bytes(folder) + b"/" + name)).write_text("u,v\n1,2\n")
    for ending in (".csv", ".jsonl", ".parquet"):
        assert asked(plain, folder, tmp_path / f"out{ending}")["sequence"].tolist() == ["a.csv", "\\xff.csv"]
