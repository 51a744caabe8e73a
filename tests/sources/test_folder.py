"""A folder of folders: texts and recordings, a class a folder."""

import gc
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from tests.refusals import refusal
from unroll.config.sources.folder import Settings as FolderData
from unroll.data import npy
from unroll.data.fitting import fit_codecs
from unroll.data.source import SPLITS, Source
from unroll.data.writer import write_prepared
from unroll.readers import csv as csv_format
from unroll.sources import Access, open_source
from unroll.sources.common import stored_texts

REAL = {"inputs": {"x": "real"}, "tokenizer": None}


def config(**changes: Any) -> FolderData:
    usual = {
        "kind": "folder", "path": "data/raw/mine", "encoding": "utf-8", "delimiter": ",", "decimal": ".",
        "header": True, "skip": 0, "comment": None, "units": False, "thousands": None, "columns": None, "tokenizer": {"kind": "char", "min_count": 1}, "scale": "standard", "missing": "refuse", "na_values": [], "test": 0.2,
        "validation": 0.2, "licence": "none", "seed": 1, "inputs": {"text": "tokens"}, "targets": {"label": "class"},
    }
    return FolderData.model_validate({**usual, **changes})


def open_folder(settings: FolderData, project: Path) -> Source:
    return open_source(settings, Access(project))[0]


def write(project: Path, files: dict[str, str | bytes]) -> Path:
    top = project / "data" / "raw" / "mine"
    for name, content in files.items():
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return top


def refused(project: Path, **changes: Any) -> tuple[str, str]:
    return refusal(lambda: open_folder(config(**changes), project), f"{project}/data/raw/")


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
    assert refused(tmp_path, **REAL) == ("bad-number", "mine/bad/0.csv, row 2, column 'noon'")
    assert refused(tmp_path, **REAL, columns=["a", "a"]) == ("conflict", "data.columns")
    assert refused(tmp_path, **REAL, columns=["c"]) == ("unknown-name", "mine/bad/0.csv")


def test_recordings_are_read_as_their_settings_say(tmp_path):
    write(tmp_path, {name: str(content).replace("a,b\n", "").replace(",", ",5;")
                     for name, content in RECORDINGS.items()})
    source = open_folder(config(**REAL, delimiter=";", decimal=",", header=False), tmp_path)
    assert {piece["x"][0, 0] % 1 for piece in source.pieces("train")} == {0.5}


@pytest.mark.parametrize("files, changes, code, where", [
    ({"a.txt": "x"}, {}, "missing-file", "mine"),
    ({"good/1.txt": "x"}, {}, "missing-file", "mine"),
    ({"good/1.txt": "x", "bad/.keep": ""}, {}, "empty", "mine/bad"),
    ({"good/1.txt": "x", "bad/1.txt": "\n"}, {}, "empty", "mine/bad/1.txt"),
    ({"good/1.txt": "x", "bad/1.csv": "x"}, {}, "unsupported", "mine/bad/1.csv"),
    (TEXTS, REAL, "unsupported", "mine/bad/0.txt"),
    ({**TEXTS, "3.txt": "x"}, {}, "unsupported", "mine/3.txt"),
    ({**RECORDINGS, "good/3.csv": "a,c\n1,2\n"}, REAL, "conflict", "mine/good/3.csv"),
    ({**RECORDINGS, "good/3.csv": "a,b\n1,2\n1,x\n"}, REAL, "bad-number", "mine/good/3.csv, row 3, column 'b'"),
    ({**RECORDINGS, "good/3.csv": "a,b\n"}, REAL, "empty", "mine/good/3.csv"),
    (TEXTS, {"tokenizer": None},
     "missing-value", "data.tokenizer"),
    (TEXTS, {"targets": {"label": "class", "y": "value"}}, "unsupported", "data.targets.y"),
    (TEXTS, {"path": "data/raw/mine/good/1.txt"}, "not-a-file", "data.path"),
])
def test_a_folder_that_is_not_what_it_should_be_is_one_line(tmp_path, files, changes, code, where):
    write(tmp_path, files)
    assert refused(tmp_path, **changes) == (code, where)


def test_a_text_of_another_encoding_is_named_with_the_byte(tmp_path):
    write(tmp_path, {**TEXTS, "good/3.txt": "grün".encode("cp1252")})
    assert refused(tmp_path) == ("unreadable", "mine/good/3.txt")


def test_a_folder_with_two_inputs_is_refused_before_it_is_opened():
    with pytest.raises(ValidationError, match="folder has one input"):
        config(inputs={"text": "tokens", "x": "real"})


def test_recordings_longer_than_a_block_are_read_by_blocks(tmp_path, monkeypatch):
    expected = sorted(piece["x"].tolist() for split in SPLITS
                      for piece in open_folder(config(**REAL), write(tmp_path, RECORDINGS).parents[2]).pieces(split))
    monkeypatch.setattr(csv_format, "BLOCKS", (16, 1 << 20))
    monkeypatch.setattr(npy, "STRETCH", 4)
    (tmp_path / "scratch").mkdir()
    source, _ = open_source(config(**REAL), Access(tmp_path, scratch=tmp_path / "scratch"))
    assert sorted(piece["x"].tolist() for split in SPLITS for piece in source.pieces(split)) == expected
    assert not list((tmp_path / "scratch").iterdir()), "temporary files have no names"
    write(tmp_path, {"good/9.csv": "a,b\n" + "1,2\n" * 30 + "1,x\n"})
    assert refused(tmp_path, **REAL) == ("bad-number", "mine/good/9.csv, row 32, column 'b'")


@pytest.mark.parametrize("real", [True, False])
def test_memory_does_not_grow_with_the_files(tmp_path, monkeypatch, real):
    for module in (npy, stored_texts):
        monkeypatch.setattr(module, "STRETCH", 1 << 10)
    asked, rows = (config(**REAL), "0.25,0.5\n" * 400) if real else (config(), "a line of a text\n" * 300)
    peaks = []
    for count in (10, 10, 80):      # twice: the first one imports what is needed
        folder = tmp_path / str(len(peaks))
        write(folder, {f"{name}/{number}.{'csv' if real else 'txt'}": f"a,{number}\n{rows}".replace(
            f"a,{number}", "a,b") + ("" if real else str(number)) for name in ("bad", "good") for number in range(count)})
        gc.collect()
        tracemalloc.start()
        source, origin = open_source(asked, Access(folder))
        write_prepared(folder / "out", asked, source, origin, fit_codecs(asked, source))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[2] - peaks[1] < 140 * (6400 if real else 5100) / 3, "of the content alone, a third"
