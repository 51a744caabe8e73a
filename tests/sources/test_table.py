"""Tables as sequences: which rows make one, which split it is in, and what each mistake is called."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.refusals import refusal
from unroll.base.errors import UserError
from unroll.config.sources.table import Settings as TableData
from unroll.data.source import SPLITS, Source
from unroll.data.tokenizers import fit
from unroll.readers import csv as csv_format
from unroll.sources import Access, open_source

FORECAST = {"horizon": 2, "context": 3, "season": 1, "log": False, "start": "season", "window": "none", "stride": 1, "eval_stride": 1, "eval_windows": None}
TEXT = {"inputs": {"text": "tokens"}, "targets": {"label": "class"}, "tokenizer": {"kind": "char", "min_count": 1},
        "columns": {"text": ["text"], "label": ["label"]}}
SEVERAL = {"series": "id", "columns": {"x": ["a", "b"], "label": ["kind"]}, "targets": {"label": "class"}}


def config(**changes: Any) -> TableData:
    """One input x of the columns a and b, and its next step."""
    usual = {
        "time_zone": None, "frequency": None, "gaps": "ignore",
        "kind": "table", "path": "data/raw", "delimiter": ",", "decimal": ".", "encoding": "utf-8", "header": True,
        "skip": 0, "comment": None, "units": False, "thousands": None, "sheet": None, "wide": None,
        "columns": {"x": ["a", "b"]}, "inputs": {"x": "real"}, "targets": {"x": "next"}, "series": None, "time": None,
        "time_format": None, "tokenizer": None, "scale": "standard", "missing": "refuse", "na_values": [], "min_length": None, "test": 0.2, "validation": 0.2, "forecast": None,
        "licence": "none", "seed": 1,
    }
    return TableData.model_validate({**usual, **changes})


def open_table(settings: TableData, project: Path) -> Source:
    return open_source(settings, Access(project))[0]


def write(project: Path, *contents: str | bytes) -> list[Path]:
    folder = project / "data" / "raw"
    folder.mkdir(parents=True, exist_ok=True)
    for number, content in enumerate(contents, 1):
        (folder / f"{number}.csv").write_bytes(content.encode() if isinstance(content, str) else content)
    return sorted(folder.iterdir())


def every(source: Source) -> list[dict[str, Any]]:
    return [piece for split in SPLITS for piece in source.pieces(split)]


def refused(project: Path, **changes: Any) -> tuple[str, str]:
    return refusal(lambda: open_table(config(**changes), project), f"{project}/data/raw/")


STEPS = "a,b\n" + "".join(f"{step},{-step}.5\n" for step in range(10))
RECORDINGS = "id,a,b,kind\n" + "".join(f"{name},{step},1,{'even' if name % 2 == 0 else 'odd'}\n"
                                       for name in range(20) for step in range(name + 1))


def test_real_columns_without_a_series_are_one_stream_cut_in_time(tmp_path):
    write(tmp_path, STEPS)
    source = open_table(config(), tmp_path)
    assert source.layout == "stream"
    ((train,), (validation,), (test,)) = (list(source.pieces(split)) for split in SPLITS)
    assert [len(each["x"]) for each in (train, validation, test)] == [6, 2, 2]
    assert train["x"].dtype == np.float64 and train["x"].shape == (6, 2)
    whole = np.concatenate([train["x"], validation["x"], test["x"]])
    assert whole.tolist() == [[step, -step - 0.5 if step else 0.5] for step in range(10)]
    assert next(iter(source.pieces("train")))["x"].tolist() == train["x"].tolist(), "read again"


def test_a_stream_has_tags_values_and_labels_of_its_steps(tmp_path):
    write(tmp_path, "a,t,u,p,q\n1,on,5,0,1\n2,off,6,1,1\n3,on,7,0,0\n4,off,8,0,0\n5,off,9,1,0\n")
    source = open_table(config(columns={"x": ["a"], "tag": ["t"], "y": ["u"], "z": ["p", "q"]},
                               targets={"tag": "tag", "y": "values", "z": "labels"}), tmp_path)
    train = next(iter(source.pieces("train")))
    assert train["x"].tolist() == [[1], [2], [3]] and train["tag"].tolist() == ["on", "off", "on"]
    assert train["y"].tolist() == [[5], [6], [7]]
    assert train["z"].tolist() == [[0, 1], [1, 1], [0, 0]] and train["z"].dtype == np.uint8


def test_a_forecast_is_of_windows_of_one_series(tmp_path):
    write(tmp_path, "a\n" + "\n".join(map(str, range(40))))
    source = open_table(config(columns={"x": ["a"]}, targets={"x": "forecast"}, forecast=FORECAST), tmp_path)
    assert source.layout == "windows"
    (train,), (test,) = source.pieces("train"), source.pieces("test")
    assert train["x"].ravel().tolist() == list(range(24))
    assert test["x"].ravel().tolist() == list(range(28, 40)), "context and season before the split's own 8 steps"


def test_a_forecast_of_a_series_column_is_of_each(tmp_path):
    write(tmp_path, "id,a\n" + "".join(f"{name},{step}\n" for name in "pq" for step in range(40)))
    source = open_table(config(columns={"x": ["a"]}, targets={"x": "forecast"}, forecast=FORECAST, series="id"),
                        tmp_path)
    assert [len(piece["x"]) for piece in source.pieces("train")] == [24, 24]


def test_a_series_too_short_for_a_forecast_is_named(tmp_path):
    write(tmp_path, "id,a\n" + "".join(f"{name},{step}\n" for name, count in (("p", 8), ("q", 9))
                                      for step in range(count)))
    changes = {"columns": {"x": ["a"]}, "targets": {"x": "forecast"}, "forecast": FORECAST, "series": "id"}
    assert refused(tmp_path, **changes) == ("too-short", "data.forecast")
    with pytest.raises(UserError, match="the train split of the longest series, 'q', has 5 of 9 steps"):
        open_table(config(**changes), tmp_path)


def test_a_series_column_makes_items_dealt_by_class(tmp_path):
    write(tmp_path, RECORDINGS)
    source = open_table(config(**SEVERAL), tmp_path)
    assert source.layout == "items"
    pieces = every(source)
    assert sorted(len(piece["x"]) for piece in pieces) == list(range(1, 21))
    assert all(piece["label"] == ("even" if len(piece["x"]) % 2 else "odd") for piece in pieces)
    for split, count in (("train", 6), ("validation", 2), ("test", 2)):
        labels = [piece["label"] for piece in source.pieces(split)]
        assert labels.count("even") == labels.count("odd") == count, "stratified"
    assert type(pieces[0]["label"]) is str


def test_items_have_values_and_steps_of_their_own(tmp_path):
    write(tmp_path, "id,a,u,v,t\n" + "".join(f"{name},{step},{name},0.5,{step % 2}\n"
                                            for name in range(5) for step in range(3)))
    source = open_table(config(series="id", columns={"x": ["a"], "y": ["u", "v"], "tag": ["t"]},
                               targets={"y": "value", "tag": "tag"}), tmp_path)
    pieces = every(source)
    assert sorted(piece["y"].tolist() for piece in pieces) == [[name, 0.5] for name in range(5)]
    assert all(piece["tag"].tolist() == ["0", "1", "0"] for piece in pieces)


def test_a_row_of_text_is_a_sequence(tmp_path):
    write(tmp_path, 'text,label\n"one, two",a\n"three\nlines",b\nNA,a\n' + "".join(
        f"text {number},{'ab'[number % 2]}\n" for number in range(20)))
    source = open_table(config(**TEXT), tmp_path)
    assert source.layout == "items"
    pieces = every(source)
    assert len(pieces) == 23
    assert {"one, two", "three\nlines", "NA"} < {piece["text"] for piece in pieces}
    assert next(piece["label"] for piece in pieces if piece["text"] == "one, two") == "a"


@pytest.mark.parametrize("sizes", [(100,), (40, 1 << 20)])
def test_a_cell_may_straddle_two_blocks_and_a_row_be_longer_than_one(tmp_path, monkeypatch, sizes):
    monkeypatch.setattr(csv_format, "BLOCKS", sizes)
    texts = [f"one\ntwo, {number}" for number in range(60)]
    texts[30] += "x" * 1000 * (len(sizes) > 1)
    write(tmp_path, "text,label\n" + "".join(f'"{text}",{"ab"[row % 2]}\n' for row, text in enumerate(texts)))
    assert {piece["text"] for piece in every(open_table(config(**TEXT), tmp_path))} == set(texts)


def test_a_row_of_text_may_have_a_value_or_its_own_next_symbol(tmp_path):
    write(tmp_path, "text,label\n" + "".join(f"text {number},{number}.5\n" for number in range(9)))
    pieces = every(open_table(config(**{**TEXT, "targets": {"label": "value"}}), tmp_path))
    assert sorted(piece["label"].tolist() for piece in pieces) == [[number + 0.5] for number in range(9)]
    pieces = every(open_table(config(**{**TEXT, "targets": {"text": "next"}, "columns": {"text": ["text"]}}), tmp_path))
    assert sorted(piece["text"] for piece in pieces) == [f"text {number}" for number in range(9)]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.sampled_from("abcdefghij"), min_size=20, max_size=60), seed=st.integers(0, 9))
def test_equal_texts_share_a_split_and_none_is_lost(tmp_path, texts, seed):
    write(tmp_path, "text,label\n" + "".join(f"{text},{'xy'[text < 'e']}\n" for text in [*texts, *"ajaj"]))
    source = open_table(config(**TEXT, seed=seed), tmp_path)
    split = {name: [piece["text"] for piece in source.pieces(name)] for name in SPLITS}
    assert sorted(text for each in split.values() for text in each) == sorted([*texts, *"ajaj"])
    assert sum(len(set(each)) for each in split.values()) == len(set(texts) | {"a", "j"})


def test_text_with_a_series_is_tagged_symbol_by_symbol(tmp_path):
    write(tmp_path, "id,text,label\n" + "".join(f"{name},th{name},A\n{name}, ,O\n{name},e,B\n" for name in range(4)))
    changes = {**TEXT, "series": "id", "targets": {"label": "tag"}}
    pieces = every(open_table(config(**changes), tmp_path))
    assert sorted(piece["text"] for piece in pieces) == [f"th{name} e" for name in range(4)]
    assert all("".join(piece["label"]) == "AAAOB" for piece in pieces)


def test_a_tag_is_that_of_every_byte(tmp_path):
    write(tmp_path, "id,text,label\n" + "".join(f"{name},ž{name},A\n{name},e,B\n" for name in range(4)))
    changes = {**TEXT, "series": "id", "targets": {"label": "tag"}, "tokenizer": {"kind": "byte"}}
    assert all("".join(piece["label"]) == "AAAB" for piece in every(open_table(config(**changes), tmp_path)))


def test_words_of_a_series_stand_apart_and_punctuation_is_a_symbol(tmp_path):
    write(tmp_path, "id,text,label\n" + "".join(f"{name},Dr.,T\n{name},Who,N\n" for name in range(4)))
    tokenizer = {"kind": "word", "min_count": 1, "lowercase": False}
    pieces = every(open_table(config(**{**TEXT, "series": "id", "targets": {"label": "tag"}, "tokenizer": tokenizer}),
                              tmp_path))
    assert pieces[0]["text"] == "Dr. Who" and pieces[0]["label"].tolist() == ["T", "T", "N"]


def test_a_word_that_lower_case_lengthens_keeps_its_one_tag(tmp_path):
    """"İ" is two characters in lower case, and one word all the same."""
    write(tmp_path, "id,word,tag\n" + "".join(f"s{row},İstanbul,P\ns{row},güzel,W\n" for row in range(12)))
    asked = config(series="id", inputs={"text": "tokens"}, targets={"tag": "tag"}, tokenizer={"kind": "word", "min_count": 1, "lowercase": True},
                   columns={"text": ["word"], "tag": ["tag"]})
    source = open_table(asked, tmp_path)
    tokenizer = fit(asked.tokenizer, False, (piece["text"] for piece in source.pieces("train")))
    for piece in every(source):
        assert len(tokenizer.encode(piece["text"])) == len(piece["tag"]) == 2
        assert tokenizer.decode(tokenizer.encode(piece["text"])) == "i\u0307stanbul güzel"


def test_parquet_is_read_like_csv(tmp_path):
    write(tmp_path)
    frame = pd.DataFrame({"id": [1, 1, 2, 2] * 3, "a": range(12), "b": np.float32(1.5), "c": True, "kind": "u",
                          "t": pd.date_range("2026-01-01", periods=12, freq="h")})
    frame["id"] += np.arange(12) // 4 * 10
    frame["kind"] = pd.Categorical(np.where(frame["id"] % 2 == 0, "even", "odd"))
    frame.to_parquet(tmp_path / "data" / "raw" / "1.parquet")
    pieces = every(open_table(config(series="id", time="t", targets={"label": "class"},
                                     columns={"x": ["a", "b", "c"], "label": ["kind"]}), tmp_path))
    assert sorted(piece["x"].tolist() for piece in pieces)[0] == [[0, 1.5, 1], [1, 1.5, 1]]
    assert {piece["label"] for piece in pieces} == {"even", "odd"}


def test_files_are_read_one_after_another_in_the_order_of_their_names(tmp_path):
    write(tmp_path, "b,a\n1,2\n3,4\n", "a,b\n5,6\n7,8\n9,10\n")
    assert np.concatenate([piece["x"] for piece in every(open_table(config(), tmp_path))]).tolist() == [
        [2, 1], [4, 3], [5, 6], [7, 8], [9, 10]]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_byte_order_marks_line_ends_and_empty_lines_are_nothing(tmp_path, mark, end):
    write(tmp_path, mark + STEPS.replace("\n", end).replace("3,", f"{end}3,").encode())
    assert len(np.concatenate([piece["x"] for piece in every(open_table(config(), tmp_path))])) == 10


def test_decimal_commas_semicolons_another_encoding_and_no_header(tmp_path):
    write(tmp_path, "1,5;grün\n-2,25;rot\n 3 ;grün\n1e2;rot\n,5;rot\n".encode("cp1252"))
    source = open_table(config(delimiter=";", decimal=",", encoding="cp1252", header=False, targets={"tag": "tag"},
                               columns={"x": ["column_1"], "tag": ["column_2"]}), tmp_path)
    train = next(iter(source.pieces("train")))
    assert train["x"].ravel().tolist() == [1.5, -2.25, 3] and train["tag"].tolist() == ["grün", "rot", "grün"]
    assert np.concatenate([piece["x"] for piece in every(source)]).ravel().tolist()[3:] == [100, 0.5]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(numbers=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=5, max_size=9),
       decimal=st.sampled_from(".,"))
def test_numbers_are_read_to_the_last_bit(tmp_path, numbers, decimal):
    write(tmp_path, "a\n" + "".join(f"{number!r}\n".replace(".", decimal) for number in numbers))
    source = open_table(config(columns={"x": ["a"]}, delimiter=";", decimal=decimal), tmp_path)
    assert np.concatenate([piece["x"] for piece in every(source)]).ravel().tolist() == numbers


@pytest.mark.parametrize("form, stamps", [
    (None, ["2026-01-31", "2026-01-31T10:00", "2026-02-01 00:00:00.5", "2026-02-02T00:00", "2026-02"[:7] + "-03"]),
    (None, ["1949", "1950", "1951", "1952.5", "1953"]),
    (None, ["1700000000000000001", "1700000000000000002", "1700000000000000003", "1700000000000000004",
            "1700000000000000005"]),
    ("%d.%m.%Y", ["31.01.2026", "01.02.2026", "02.02.2026", "03.02.2026", "01.01.2027"]),
    ("%b %Y", ["Jan 1949", "Feb 1949", "Mar 1949", "Apr 1949", "Jan 1950"]),
])
def test_a_time_that_rises_is_fine_in_any_format(tmp_path, form, stamps):
    write(tmp_path, "t,a\n" + "".join(f"{stamp},{row}\n" for row, stamp in enumerate(stamps)))
    source = open_table(config(time="t", time_format=form, columns={"x": ["a"]}), tmp_path)
    assert np.concatenate([piece["x"] for piece in every(source)]).ravel().tolist() == [0, 1, 2, 3, 4]


def test_rows_of_several_sequences_may_be_mixed_where_time_orders_them(tmp_path):
    write(tmp_path, "id,t,a\n" + "".join(f"{name},{step},{name}{step}\n" for step in range(3) for name in range(1, 6)))
    pieces = every(open_table(config(series="id", time="t", columns={"x": ["a"]}), tmp_path))
    assert sorted(piece["x"].ravel().tolist() for piece in pieces) == [
        [10 * name, 10 * name + 1, 10 * name + 2] for name in range(1, 6)]



@pytest.mark.parametrize("content, changes, code, where", [
    ("a,c\n1,2\n", {}, "unknown-name", "1.csv"),
    ("a,speed\n1,2\n", {"columns": {"x": ["sped"]}}, "unknown-name", "1.csv"),
    ("a;b\n1;2\n", {},
     "unknown-name", "1.csv"),
    ("a,b\n1,2\n", {"header": False}, "unknown-name", "1.csv"),
    ("a,b\n1,2\n", {"series": "c"}, "unknown-name", "1.csv"),
    ("a,a\n1,2\n", {}, "ambiguous", "1.csv"),
    ("a,b\n1,2\n3,x\n", {}, "bad-number", "1.csv, row 3, column 'b'"),
    ("\na,b\n1,\"\n\n2\"\n\n3,x\n", {}, "bad-number", "1.csv, row 7, column 'b'"),
    ("a,b\n1,2\n3,1_0\n", {}, "bad-number", "1.csv, row 3, column 'b'"),
    ("a,b\n1,2\n3,\n", {}, "missing-number", "1.csv, row 3, column 'b'"),
    ("a,b\n1, NaN\n", {}, "missing-number", "1.csv, row 2, column 'b'"),
    ("1,2\nNA,3\n", {"header": False, "columns": {"x": ["column_1"]}},
     "missing-number", "1.csv, row 2, column 'column_1'"),
    ("a,b\n1,2\n1e999,2\n", {}, "bad-number", "1.csv, row 3, column 'a'"),
    ('a,b\n1,2\n3,"4,5"\n', {}, "bad-number", "1.csv, row 3, column 'b'"),
    ("a;b\n1,5;2\n3;1.000,5\n", {"delimiter": ";", "decimal": ","}, "bad-number", "1.csv, row 3, column 'b'"),
    ("a,b\n1,2\n3\n", {}, "unequal-lengths", "1.csv, row 3"),
    ("a,b\n1,2\n\n3,4,5\n", {}, "unequal-lengths", "1.csv, row 4"),
    ('a,b\n1,2\n"3,4\n5,6\n7,8\n', {}, "unequal-lengths", "1.csv, row 3"),
    ("", {}, "empty", "1.csv"),
    ("\n\n", {}, "empty", "1.csv"),
    ("a,b\n", {}, "empty", "1.csv"),
    ("a,b\n1,2\n", {"delimiter": "||"}, "wrong-type", "data.delimiter"),
    ("a,b\n1,2\n", {"delimiter": "é"}, "wrong-type", "data.delimiter"),
])
def test_a_table_that_cannot_be_read_is_one_line(tmp_path, content, changes, code, where):
    write(tmp_path, content)
    assert refused(tmp_path, **changes) == (code, where)


TIMES = {"time": "t", "columns": {"x": ["a"]}}


@pytest.mark.parametrize("content, changes, code, where", [
    ("t,a\n2026-01-01,1\n2026-01-02,1\n2026-01-02,1\n", TIMES, "out-of-order", "1.csv, row 4, column 't'"),
    ("t,a\n3,1\n2,1\n", TIMES, "out-of-order", "1.csv, row 3, column 't'"),
    ("id,t,a\np,1,1\nq,2,1\np,2,1\nq,1,1\n", {**TIMES, "series": "id"}, "out-of-order", "1.csv, row 5, column 't'"),
    ("id,t,a\np,1,1\np,1,1\n", {**TIMES, "series": "id"}, "out-of-order", "1.csv, row 3, column 't'"),
    ("t,a\n2026-01-01,1\n02.01.2026,1\n", TIMES, "bad-time", "1.csv, row 3, column 't'"),
    ("t,a\n01.01.2026,1\n31.02.2026,1\n", {**TIMES, "time_format": "%d.%m.%Y"}, "bad-time", "1.csv, row 3, column 't'"),
    ("t,a\n1,1\n2,1\n", {**TIMES, "time_format": "%Q"}, "bad-time", "data.time_format"),
    ("t,a\n1,1\n,1\n", TIMES, "empty", "1.csv, row 3, column 't'"),
    ("id,a\np,1\nq,1\np,1\n", {"series": "id", "columns": {"x": ["a"]}}, "out-of-order", "1.csv, row 4, column 'id'"),
    ("id,a\np,1\n,1\n", {"series": "id", "columns": {"x": ["a"]}}, "empty", "1.csv, row 3, column 'id'"),
])
def test_rows_out_of_order_are_named(tmp_path, content, changes, code, where):
    write(tmp_path, content)
    assert refused(tmp_path, **changes) == (code, where)


def test_a_time_that_falls_between_two_files_names_both(tmp_path):
    write(tmp_path, "t,a\n1,1\n2,1\n", "t,a\n2,1\n")
    assert refused(tmp_path, **TIMES) == ("out-of-order", "2.csv, row 2, column 't'")


@pytest.mark.parametrize("content, changes, code, where", [
    ("id,a,b,kind\np,1,1,u\np,1,1,u\np,2,1,v\n", SEVERAL, "conflict", "1.csv, row 4, column 'kind'"),
    ("id,a,b,u,v\np,1,1,5,6\np,1,1,5,7\n", {"series": "id", "columns": {"x": ["a"], "y": ["u", "v"]},
     "targets": {"y": "value"}}, "conflict", "1.csv, row 3, column 'v'"),
    ("id,a,b,u\np,1,1,cat\nq,1,1,dog\n", {"series": "id", "columns": {"x": ["a"], "y": ["u"]},
     "targets": {"y": "value"}}, "bad-number", "1.csv, row 2, column 'u'"),
    ("a,u\n1,cat\n", {"columns": {"x": ["a"], "y": ["u"]}, "targets": {"y": "values"}}, "bad-number", "1.csv, row 2, column 'u'"),
    ("a,u\n1,2\n", {"columns": {"x": ["a"], "y": ["u"]}, "targets": {"y": "labels"}}, "bad-label", "1.csv, row 2, column 'u'"),
    ("id,a,b,kind\np,1,1,\np,1,1,u\np,1,1,v\n", SEVERAL, "conflict", "1.csv, row 4, column 'kind'"),
    ("text,label\n,u\n", TEXT, "empty", "1.csv, row 2, column 'text'"),
    ("text,label\nx,0.5\ny,0.25\n", TEXT, "conflict", "data.targets.label"),
])
def test_a_target_that_is_not_what_it_should_be_is_named(tmp_path, content, changes, code, where):
    write(tmp_path, content)
    assert refused(tmp_path, **changes) == (code, where)


@pytest.mark.parametrize("changes, code, where", [
    ({"columns": {"x": ["a"], "z": ["b"]}}, "unknown-name", "data.columns.z"),
    ({"columns": {}}, "missing-value", "data.columns.x"),
    ({"columns": {"x": []}}, "missing-value", "data.columns.x"),
    ({"targets": {"tag": "tag"}}, "missing-value", "data.columns.tag"),
    ({"targets": {"tag": "tag"}, "columns": {"x": ["a"], "tag": ["a", "b"]}},
     "unsupported", "data.columns.tag"),
    ({**TEXT, "tokenizer": None},
     "missing-value", "data.tokenizer"),
    ({"targets": {"label": "class"}, "columns": {"x": ["a"], "label": ["b"]}}, "conflict", "data.targets.label"),
    ({**TEXT, "targets": {"label": "tag"}}, "conflict", "data.targets.label"),
    ({**TEXT, "inputs": {"text": "tokens", "x": "real"}, "columns": {"text": ["a"], "x": ["a"], "label": ["b"]}},
     "conflict", "data.inputs.x"),
    ({"inputs": {"x": "real", "z": "static_real"}, "columns": {"x": ["a"], "z": ["b"]}}, "conflict", "data.inputs.z"),
    ({**TEXT, "time": "a"}, "no-effect", "data.time"),
    ({"targets": {"y": "values"}, "columns": {"x": ["a", "b"], "y": ["b"]}}, "conflict", "data.columns.y"),
])
def test_settings_that_do_not_go_together_are_one_line(tmp_path, changes, code, where):
    write(tmp_path, "a,b\n1,2\n")
    assert refused(tmp_path, **changes) == (code, where)


def test_files_that_differ_or_are_no_tables_are_named(tmp_path):
    write(tmp_path, "a,b\n1,2\n", "a,c\n1,2\n")
    assert refused(tmp_path) == ("conflict", "2.csv")
    (tmp_path / "data" / "raw" / "2.csv").rename(tmp_path / "data" / "raw" / "0.ods")
    assert refused(tmp_path) == ("unsupported", "0.ods")
    (tmp_path / "data" / "raw" / "0.ods").rename(tmp_path / "data" / "raw" / "0.parquet")
    assert refused(tmp_path) == ("unreadable", "0.parquet")


def test_a_wrong_encoding_is_named_with_the_byte(tmp_path):
    write(tmp_path, "a,b\n1,2\ngrün,3\n".encode("cp1252"))
    assert refused(tmp_path) == ("unreadable", "1.csv")


def test_cells_of_parquet_are_named_by_row_and_type(tmp_path):
    write(tmp_path)
    file = tmp_path / "data" / "raw" / "1.parquet"
    pd.DataFrame({"a": [1.0, None], "b": [1, 2]}).to_parquet(file)
    assert refused(tmp_path) == ("missing-number", "1.parquet, row 2, column 'a'")
    pd.DataFrame({"a": [1, 2], "b": ["1", "x"]}).to_parquet(file)
    assert refused(tmp_path) == ("bad-number", "1.parquet, row 2, column 'b'")
    pd.DataFrame({"a": [1, 2], "b": pd.to_datetime(["2026-01-01"] * 2)}).to_parquet(file)
    assert refused(tmp_path) == ("wrong-type", "1.parquet, column 'b'")
    pd.DataFrame({"t": pd.to_datetime(["2026-01-01", None]), "a": 1}).to_parquet(file)
    assert refused(tmp_path, **TIMES) == ("bad-time", "1.parquet, row 2, column 't'")
    pd.DataFrame({"text": ["x", None], "label": "u"}).to_parquet(file)
    assert refused(tmp_path, **TEXT) == ("empty", "1.parquet, row 2, column 'text'")
    pd.DataFrame({"text": [["x"]], "label": "u"}).to_parquet(file)
    assert refused(tmp_path, **TEXT) == ("wrong-type", "1.parquet, column 'text'")


@pytest.mark.parametrize("content, changes, sentence", [
    ("a;b\n1;2\n", {}, "1.csv: no column 'a'; the whole line is one column, 'a;b'. Is data.delimiter ';' instead of ','?"),
    ("a,b\n1,2\n3,x\n", {}, "1.csv, row 3, column 'b': 'x' is no number. data.columns.x takes numbers only: correct the "
     "cell, or leave the column out."),
    ('a,b\n1,2\n3,"4,5"\n', {}, "1.csv, row 3, column 'b': '4,5' is no number. Is the decimal mark a comma? Set "
     "data.decimal to ','."),
    ("id,a\np,1\nq,1\np,1\n", {"series": "id", "columns": {"x": ["a"]}}, "1.csv, row 4, column 'id': sequence 'p' "
     "continues here after rows of another one. Sort the rows by sequence, or give each sequence a name of its own. If a "
     "column orders the rows, name it as data.time."),
])
def test_a_mistake_names_its_remedy(tmp_path, content, changes, sentence):
    write(tmp_path, content)
    with pytest.raises(UserError) as caught:
        open_table(config(**changes), tmp_path)
    assert str(caught.value).replace(f"{tmp_path}/data/raw/", "") == sentence
