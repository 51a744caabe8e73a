"""A folder of folders: texts and recordings, a class a folder."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from unroll.base.errors import UserError
from unroll.config.data import FolderData
from unroll.data.source import SPLITS
from unroll.sources.folder import open_folder

REAL = {"inputs": {"x": "real"}, "tokenizer": None}


def config(**changes: Any) -> FolderData:
    usual = {
        "kind": "folder", "path": "data/raw/mine", "encoding": "utf-8", "delimiter": ",", "decimal": ".",
        "header": True, "columns": None, "tokenizer": {"kind": "char", "min_count": 1}, "scale": "standard", "test": 0.2,
        "validation": 0.2, "licence": "none", "seed": 1, "inputs": {"text": "tokens"}, "targets": {"label": "class"},
    }
    return FolderData.model_validate({**usual, **changes})


def write(project: Path, files: dict[str, str | bytes]) -> Path:
    top = project / "data" / "raw" / "mine"
    for name, content in files.items():
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return top


def message(project: Path, **changes: Any) -> str:
    with pytest.raises(UserError) as caught:
        open_folder(config(**changes), project)
    assert "\n" not in str(caught.value)
    return str(caught.value).replace(f"{project}/data/raw/", "")


TEXTS: dict[str, str | bytes] = {f"{name}/{number}.txt": f"{name} no. {number}\nof ten\n"
                                 for name in ("bad", "good") for number in range(10)}
RECORDINGS: dict[str, str | bytes] = {
    f"{name}/{number}.csv": "a,b\n" + "".join(f"{number},{step}\n" for step in range(number + 1))
    for name in ("bad", "good") for number in range(10)
}


def test_texts_are_dealt_by_class_and_end_without_their_last_newline(tmp_path):
    write(tmp_path, TEXTS)
    source = open_folder(config(), tmp_path)
    assert source.layout == "items"
    for split, count in zip(SPLITS, (6, 2, 2), strict=True):
        for _ in range(2):      # read again
            pieces = list(source.pieces(split))
            assert [piece["label"] for piece in pieces] == ["bad"] * count + ["good"] * count
            assert all(piece["text"].startswith(f"{piece['label']} no. ") for piece in pieces)
            assert all(piece["text"].endswith("\nof ten") for piece in pieces)


def test_equal_texts_share_a_split(tmp_path):
    write(tmp_path, {**TEXTS, **{f"good/again/{number}.txt": "the same\n" for number in range(9)}})
    source = open_folder(config(), tmp_path)
    found = [split for split in SPLITS for piece in source.pieces(split) if piece["text"] == "the same"]
    assert len(found) == 9 and len(set(found)) == 1


def test_hidden_files_and_those_of_dvc_are_none(tmp_path):
    top = write(tmp_path, {**TEXTS, ".gitignore": "x", "good/.DS_Store": b"\xff", "bad/0.txt.dvc": "x",
                           ".git/a.txt": "", "README.md": "what it is"})
    assert (top / ".git").is_dir()
    source = open_folder(config(), tmp_path)
    assert sum(len(list(source.pieces(split))) for split in SPLITS) == 20


def test_recordings_have_their_numeric_columns_in_the_first_files_order(tmp_path):
    top = write(tmp_path, {**RECORDINGS, "good/9.csv": "b,a\n5,6\n7,8\n"})
    pd.DataFrame({"a": [0.5], "b": [1]}).to_parquet(top / "good" / "10.parquet")
    source = open_folder(config(**REAL), tmp_path)
    pieces = [piece for split in SPLITS for piece in source.pieces(split)]
    assert len(pieces) == 21
    found = [piece["x"].tolist() for piece in pieces]
    assert [[6, 5], [8, 7]] in found and [[0.5, 1]] in found and [[0, 0]] in found
    assert all(piece["x"].dtype == np.float64 for piece in pieces)
    assert list(source.columns["x"]) == ["a", "b"]
    names = [place.name for split in SPLITS for place in source.places(split)]
    assert len(set(names)) == 21 and {"good/9.csv", "good/10.parquet", "bad/0.csv"} <= set(names)
    at = names.index("good/9.csv")
    assert pieces[at]["x"].tolist() == [[6, 5], [8, 7]]


def test_of_recordings_the_chosen_columns_are_read_in_that_order(tmp_path):
    write(tmp_path, {name: str(content).replace("\n", ",noon\n") for name, content in RECORDINGS.items()})
    source = open_folder(config(**REAL, columns=["b", "a"]), tmp_path)
    assert list(source.columns["x"]) == ["b", "a"]
    assert [2, 9] in [row for split in SPLITS for piece in source.pieces(split) for row in piece["x"].tolist()]
    assert message(tmp_path, **REAL).endswith("All columns of a recording are read: say in data.columns which are.")
    assert message(tmp_path, **REAL, columns=["a", "a"]).startswith("data.columns: ['a', 'a'] names one twice.")
    assert message(tmp_path, **REAL, columns=["c"]).startswith("mine/bad/0.csv: no column 'c'; ")


def test_recordings_are_read_as_their_settings_say(tmp_path):
    write(tmp_path, {name: str(content).replace("a,b\n", "").replace(",", ",5;")
                     for name, content in RECORDINGS.items()})
    source = open_folder(config(**REAL, delimiter=";", decimal=",", header=False), tmp_path)
    assert {piece["x"][0, 0] % 1 for piece in source.pieces("train")} == {0.5}


@pytest.mark.parametrize("files, changes, said", [
    ({"a.txt": "x"}, {}, "mine: no folders in it. Put the files of each class into a folder called as the class."),
    ({"good/1.txt": "x"}, {}, "mine: one class alone, 'good'. Add a folder for each other class."),
    ({"good/1.txt": "x", "bad/.keep": ""}, {}, "mine/bad: no files of class 'bad'. Add some, or remove the folder."),
    ({"good/1.txt": "x", "bad/1.txt": "\n"}, {}, "mine/bad/1.txt: empty. Leave it out."),
    ({"good/1.txt": "x", "bad/1.csv": "x"}, {}, "mine/bad/1.csv: not one of the texts (.txt) that data.inputs asks "
     "for. Move it away, or change data.inputs."),
    (TEXTS, REAL, "mine/bad/0.txt: not one of the recordings (.csv, .tsv, .parquet) that data.inputs asks for. Move it "
     "away, or change data.inputs."),
    ({**TEXTS, "3.txt": "x"}, {}, "mine/3.txt: in no folder of a class. Move it into one, or away."),
    ({**RECORDINGS, "good/3.csv": "a,c\n1,2\n"}, REAL, "mine/good/3.csv: its columns differ from those of "
     "mine/bad/0.csv in 'b', 'c'. All recordings need the same."),
    ({**RECORDINGS, "good/3.csv": "a,b\n1,2\n1,x\n"}, REAL, "mine/good/3.csv, row 3, column 'b': 'x' is no number. All "
     "columns of a recording are read: say in data.columns which are."),
    ({**RECORDINGS, "good/3.csv": "a,b\n"}, REAL, "mine/good/3.csv: no rows below the header. Leave it out, or give "
     "some."),
    (TEXTS, {"tokenizer": None},
     "data.tokenizer: missing. Inputs of kind tokens need one: choose data/tokenizer=char."),
    (TEXTS, {"targets": {"label": "class", "y": "value"}}, "data.targets.y: a folder's files have a class each, not "
     "value. Choose class, or data.kind=table."),
    (TEXTS, {"inputs": {"text": "tokens", "x": "real"}}, "data.inputs: a file is one input, not 2. Leave all but one "
     "out."),
    (TEXTS, {"path": "data/raw/mine/good/1.txt"}, "data.path: 'data/raw/mine/good/1.txt' is no folder. Give one that "
     "has a folder for each class."),
])
def test_a_folder_that_is_not_what_it_should_be_is_one_line(tmp_path, files, changes, said):
    write(tmp_path, files)
    assert message(tmp_path, **changes) == said


def test_a_text_of_another_encoding_is_named_with_the_byte(tmp_path):
    write(tmp_path, {**TEXTS, "good/3.txt": "grün".encode("cp1252")})
    assert message(tmp_path).startswith("mine/good/3.txt: not utf-8 at byte 2. ")
