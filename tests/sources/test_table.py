"""Tables as sequences: which rows make one, which split it is in, and what each mistake is called."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unroll.base.errors import UserError
from unroll.config.data import TableData
from unroll.data.source import SPLITS, Source
from unroll.data.tokenizers import fit
from unroll.sources import tabular
from unroll.sources.table import open_table

FORECAST = {"horizon": 2, "context": 3, "season": 1, "log": False, "stride": 1}
TEXT = {"inputs": {"text": "tokens"}, "targets": {"label": "class"}, "tokenizer": {"kind": "char", "min_count": 1},
        "columns": {"text": ["text"], "label": ["label"]}}
SEVERAL = {"series": "id", "columns": {"x": ["a", "b"], "label": ["kind"]}, "targets": {"label": "class"}}


def config(**changes: Any) -> TableData:
    """One input x of the columns a and b, and its next step."""
    usual = {
        "kind": "table", "path": "data/raw", "delimiter": ",", "decimal": ".", "encoding": "utf-8", "header": True,
        "columns": {"x": ["a", "b"]}, "inputs": {"x": "real"}, "targets": {"x": "next"}, "series": None, "time": None,
        "time_format": None, "tokenizer": None, "scale": "standard", "test": 0.2, "validation": 0.2, "forecast": None,
        "licence": "none", "seed": 1,
    }
    return TableData.model_validate({**usual, **changes})


def write(project: Path, *contents: str | bytes) -> list[Path]:
    folder = project / "data" / "raw"
    folder.mkdir(parents=True, exist_ok=True)
    for number, content in enumerate(contents, 1):
        (folder / f"{number}.csv").write_bytes(content.encode() if isinstance(content, str) else content)
    return sorted(folder.iterdir())


def every(source: Source) -> list[dict[str, Any]]:
    return [piece for split in SPLITS for piece in source.pieces(split)]


def message(project: Path, **changes: Any) -> str:
    with pytest.raises(UserError) as caught:
        open_table(config(**changes), project)
    text = str(caught.value)
    assert "\n" not in text
    return text.replace(f"{project}/data/raw/", "")


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
    write(tmp_path, "id,a\n" + "".join(f"{name},{step}\n" for name, count in (("p", 40), ("q", 9))
                                      for step in range(count)))
    assert "the train split of q has 5 of 9 steps" in message(
        tmp_path, columns={"x": ["a"]}, targets={"x": "forecast"}, forecast=FORECAST, series="id")


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


def test_a_cell_may_straddle_two_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr(tabular, "BLOCK", 100)
    texts = [f"one\ntwo, {number}" for number in range(60)]
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
    (None, ["2026-01-31", "2026-01-31T10:00", "2026-02-01 00:00:00.5", "2026-02-02T00:00Z", "2026-02"[:7] + "-03"]),
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


MISSING = "Missing values are not supported yet, a later version will; fill them, or leave out the row or the column."
NUMBERS = "data.columns.x holds numbers alone: mend the cell, or leave the column out."


@pytest.mark.parametrize("content, changes, said", [
    ("a,c\n1,2\n", {}, "1.csv: no column 'b'; choose from a, c."),
    ("a,speed\n1,2\n", {"columns": {"x": ["sped"]}}, '1.csv: no column \'sped\'; did you mean "speed"?'),
    ("a;b\n1;2\n", {},
     "1.csv: no column 'a'; the whole line is one column, 'a;b'. Is data.delimiter ';' instead of ','?"),
    ("a,b\n1,2\n", {"header": False}, "1.csv: no column 'a'; choose from column_1, column_2."),
    ("a,b\n1,2\n", {"series": "c"}, "1.csv: no column 'c'; choose from a, b."),
    ("a,a\n1,2\n", {}, "1.csv: column 'a' stands 2 times. Give each column a name of its own."),
    ("a,b\n1,2\n3,x\n", {}, f"1.csv, row 3, column 'b': 'x' is no number. {NUMBERS}"),
    ("\na,b\n1,\"\n\n2\"\n\n3,x\n", {}, f"1.csv, row 7, column 'b': 'x' is no number. {NUMBERS}"),
    ("a,b\n1,2\n3,1_0\n", {}, f"1.csv, row 3, column 'b': '1_0' is no number. {NUMBERS}"),
    ("a,b\n1,2\n3,\n", {}, f"1.csv, row 3, column 'b': empty. {MISSING}"),
    ("a,b\n1, NaN\n", {}, f"1.csv, row 2, column 'b': 'NaN' is no value. {MISSING}"),
    ("1,2\nNA,3\n", {"header": False, "columns": {"x": ["column_1"]}},
     f"1.csv, row 2, column 'column_1': 'NA' is no value. {MISSING}"),
    ("a,b\n1,2\n1e999,2\n", {}, "1.csv, row 3, column 'a': '1e999' is infinite. Infinite values are not supported; "
     "leave the row out, or mend it."),
    ('a,b\n1,2\n3,"4,5"\n', {}, "1.csv, row 3, column 'b': '4,5' is no number. Is the decimal mark a comma? Set "
     "data.decimal=','."),
    ("a;b\n1,5;2\n3;1.000,5\n", {"delimiter": ";", "decimal": ","}, "1.csv, row 3, column 'b': '1.000,5' has a point "
     "where data.decimal says that a comma is the decimal mark. Take thousands separators out, or set "
     "data.decimal='.'."),
    ("a,b\n1,2\n3\n", {}, "1.csv, row 3: 1 cell where the first row has 2: a delimiter within a cell that is not "
     "quoted, or a cell left out? Mend the row, or set data.delimiter."),
    ("a,b\n1,2\n\n3,4,5\n", {}, "1.csv, row 4: 3 cells where the first row has 2: a delimiter within a cell that is "
     "not quoted, or a cell left out? Mend the row, or set data.delimiter."),
    ('a,b\n1,2\n"3,4\n5,6\n7,8\n', {}, "1.csv, row 3: 1 cell where the first row has 2: a quotation mark that is never "
     "closed? Mend the row, or set data.delimiter."),
    ("", {}, "1.csv: empty. Leave it out, or give a table with rows."),
    ("\n\n", {}, "1.csv: empty. Leave it out, or give a table with rows."),
    ("a,b\n", {}, "1.csv: no rows below the header. Leave it out, or give some."),
    ("a,b\n1,2\n", {"delimiter": "||"}, "data.delimiter: '||' is not one ASCII character between cells. Give ',', "
     "';' or '\\t'."),
    ("a,b\n1,2\n", {"delimiter": "é"}, "data.delimiter: 'é' is not one ASCII character between cells. Give ',', "
     "';' or '\\t'."),
])
def test_a_table_that_cannot_be_read_is_one_line(tmp_path, content, changes, said):
    write(tmp_path, content)
    assert message(tmp_path, **changes) == said


TIMES = {"time": "t", "columns": {"x": ["a"]}}
MANY = " If the rows are of several sequences, name the column that tells them apart as data.series."


@pytest.mark.parametrize("content, changes, said", [
    ("t,a\n2026-01-01,1\n2026-01-02,1\n2026-01-02,1\n", TIMES, "1.csv, row 4, column 't': '2026-01-02' stands already "
     f"at 1.csv, row 3. A sequence has one row a time: leave one of them out.{MANY}"),
    ("t,a\n3,1\n2,1\n", TIMES, "1.csv, row 3, column 't': '2' comes after '3' at 1.csv, row 2. Sort the rows by "
     f"time.{MANY}"),
    ("id,t,a\np,1,1\nq,2,1\np,2,1\nq,1,1\n", {**TIMES, "series": "id"}, "1.csv, row 5, column 't': '1' comes of "
     "sequence 'q' after '2' at 1.csv, row 3. Sort the rows by time."),
    ("id,t,a\np,1,1\np,1,1\n", {**TIMES, "series": "id"}, "1.csv, row 3, column 't': '1' stands of sequence 'p' "
     "already at 1.csv, row 2. A sequence has one row a time: leave one of them out."),
    ("t,a\n2026-01-01,1\n02.01.2026,1\n", TIMES, "1.csv, row 3, column 't': '02.01.2026' is neither a number nor an "
     "ISO 8601 time such as 2026-01-31T12:00. Give data.time_format, as of strptime: '%d.%m.%Y %H:%M'."),
    ("t,a\n01.01.2026,1\n31.02.2026,1\n", {**TIMES, "time_format": "%d.%m.%Y"}, "1.csv, row 3, column 't': "
     "'31.02.2026' is not written as data.time_format says, '%d.%m.%Y'. Mend the cell or the format."),
    ("t,a\n1,1\n2,1\n", {**TIMES, "time_format": "%Q"}, "data.time_format: '%Q' is no format of strptime: 'Q' is a bad "
     "directive in format '%Q'. Give one such as '%d.%m.%Y %H:%M'."),
    ("t,a\n1,1\n,1\n", TIMES, "1.csv, row 3, column 't': empty. Each row needs a time: fill it, or leave the row out."),
    ("id,a\np,1\nq,1\np,1\n", {"series": "id", "columns": {"x": ["a"]}}, "1.csv, row 4, column 'id': sequence 'p' goes "
     "on here after rows of another. Sort the rows by sequence, give each sequence a name of its own, or name the "
     "column that orders them as data.time."),
    ("id,a\np,1\n,1\n", {"series": "id", "columns": {"x": ["a"]}}, "1.csv, row 3, column 'id': empty. Each row needs "
     "the name of its sequence."),
])
def test_rows_out_of_order_are_named(tmp_path, content, changes, said):
    write(tmp_path, content)
    assert message(tmp_path, **changes) == said


def test_a_time_that_falls_between_two_files_names_both(tmp_path):
    write(tmp_path, "t,a\n1,1\n2,1\n", "t,a\n2,1\n")
    assert message(tmp_path, **TIMES).startswith("2.csv, row 2, column 't': '2' stands already at 1.csv, row 3. ")


@pytest.mark.parametrize("content, changes, said", [
    ("id,a,b,kind\np,1,1,u\np,1,1,u\np,2,1,v\n", SEVERAL, "1.csv, row 4, column 'kind': 'v' where sequence 'p' began "
     "with 'u'. data.targets.label is one class a sequence: mend the row, or choose tag for one a step."),
    ("id,a,b,u,v\np,1,1,5,6\np,1,1,5,7\n", {"series": "id", "columns": {"x": ["a"], "y": ["u", "v"]},
     "targets": {"y": "value"}}, "1.csv, row 3, column 'v': '7' where sequence 'p' began with '6'. data.targets.y is "
     "one value a sequence: mend the row, or choose values for one a step."),
    ("id,a,b,u\np,1,1,cat\nq,1,1,dog\n", {"series": "id", "columns": {"x": ["a"], "y": ["u"]},
     "targets": {"y": "value"}}, "1.csv, row 2, column 'u': 'cat' is no number. data.targets.y is a value, which needs "
     "numbers; if these are classes, choose class."),
    ("a,u\n1,cat\n", {"columns": {"x": ["a"], "y": ["u"]}, "targets": {"y": "values"}}, "1.csv, row 2, column 'u': "
     "'cat' is no number. data.targets.y is a values, which needs numbers; if these are classes, choose tag."),
    ("a,u\n1,2\n", {"columns": {"x": ["a"], "y": ["u"]}, "targets": {"y": "labels"}}, "1.csv, row 2, column 'u': 2 "
     "where a label is 0 or 1. For numbers choose values."),
    ("id,a,b,kind\np,1,1,\n", SEVERAL, "1.csv, row 2, column 'kind': an empty class. Give the row one, or leave it "
     "out."),
    ("text,label\n,u\n", TEXT, "1.csv, row 2, column 'text': an empty text. Leave the row out."),
    ("text,label\nx,0.5\ny,0.25\n", TEXT, "data.targets.label: each of 2 sequences has a class of its own in column "
     "'label'. Name another column, or, if it is a number, choose value."),
])
def test_a_target_that_is_not_what_it_should_be_is_named(tmp_path, content, changes, said):
    write(tmp_path, content)
    assert message(tmp_path, **changes) == said


@pytest.mark.parametrize("changes, said", [
    ({"columns": {"x": ["a"], "z": ["b"]}}, "data.columns.z: neither an input nor a target; choose from x."),
    ({"columns": {}}, "data.columns.x: missing. Name the columns of x: [a, b]."),
    ({"columns": {"x": []}}, "data.columns.x: missing. Name the columns of x: [a, b]."),
    ({"targets": {"tag": "tag"}}, "data.columns.tag: missing. Name the columns of tag: [a, b]."),
    ({"targets": {"tag": "tag"}, "columns": {"x": ["a"], "tag": ["a", "b"]}},
     "data.columns.tag: tag are read from one column, not 2."),
    ({**TEXT, "tokenizer": None},
     "data.tokenizer: missing. Inputs of kind tokens need one: choose data/tokenizer=char."),
    ({"targets": {"label": "class"}, "columns": {"x": ["a"], "label": ["b"]}}, "data.targets.label: one class a "
     "sequence, but without data.series the table is a single sequence. Name the column that tells sequences apart as "
     "data.series."),
    ({**TEXT, "targets": {"label": "tag"}}, "data.targets.label: without data.series each row is a text of its own, "
     "which has one class or value, not tag. Name the column that tells texts apart."),
    ({**TEXT, "inputs": {"text": "tokens", "x": "real"}, "columns": {"text": ["a"], "x": ["a"], "label": ["b"]}},
     "data.inputs: without data.series each row is a text of its own, and real numbers beside it are no sequence. Name "
     "the column that tells sequences apart as data.series."),
    ({**TEXT, "time": "a"}, "data.time: each row is a text of its own, so there is nothing to order. Set "
     "data.time=null."),
    ({"inputs": {"x": "real", "z": "real"}, "columns": {"x": ["a"], "z": ["b"]}, "forecast": FORECAST,
      "targets": {"x": "forecast", "z": "forecast"}}, "data.targets: a forecast is of one input of real numbers and "
     "stands alone. Name all of its columns at that input."),
])
def test_settings_that_do_not_go_together_are_one_line(tmp_path, changes, said):
    write(tmp_path, "a,b\n1,2\n")
    assert message(tmp_path, **changes) == said


def test_files_that_differ_or_are_no_tables_are_named(tmp_path):
    write(tmp_path, "a,b\n1,2\n", "a,c\n1,2\n")
    assert message(tmp_path) == ("2.csv: its columns differ from those of 1.csv in 'b', 'c'. Give files of the same "
                                 "columns, or name one of them.")
    (tmp_path / "data" / "raw" / "2.csv").rename(tmp_path / "data" / "raw" / "0.xlsx")
    assert message(tmp_path) == ("0.xlsx: not a table that is read here. Give CSV (.csv, .tsv, .txt) or Parquet "
                                 "(.parquet).")
    (tmp_path / "data" / "raw" / "0.xlsx").rename(tmp_path / "data" / "raw" / "0.parquet")
    assert message(tmp_path).startswith("0.parquet: not a Parquet file that can be read: ")


def test_a_wrong_encoding_is_named_with_the_byte(tmp_path):
    write(tmp_path, "a,b\n1,2\ngrün,3\n".encode("cp1252"))
    assert message(tmp_path).startswith("1.csv: not utf-8 at byte 10. ")


def test_cells_of_parquet_are_named_by_row_and_type(tmp_path):
    write(tmp_path)
    file = tmp_path / "data" / "raw" / "1.parquet"
    pd.DataFrame({"a": [1.0, None], "b": [1, 2]}).to_parquet(file)
    assert message(tmp_path) == f"1.parquet, row 2, column 'a': empty. {MISSING}"
    pd.DataFrame({"a": [1, 2], "b": ["1", "x"]}).to_parquet(file)
    assert message(tmp_path) == f"1.parquet, row 2, column 'b': 'x' is no number. {NUMBERS}"
    pd.DataFrame({"a": [1, 2], "b": pd.to_datetime(["2026-01-01"] * 2)}).to_parquet(file)
    assert message(tmp_path).startswith("1.parquet, column 'b': of type timestamp[")
    pd.DataFrame({"t": pd.to_datetime(["2026-01-01", None]), "a": 1}).to_parquet(file)
    assert message(tmp_path, **TIMES) == ("1.parquet, row 2, column 't': empty. Each row needs a time: fill it, or "
                                          "leave the row out.")
    pd.DataFrame({"text": ["x", None], "label": "u"}).to_parquet(file)
    assert message(tmp_path, **TEXT) == "1.parquet, row 2, column 'text': an empty text. Leave the row out."
    pd.DataFrame({"text": [["x"]], "label": "u"}).to_parquet(file)
    assert message(tmp_path, **TEXT).startswith("1.parquet, column 'text': of type list<")
