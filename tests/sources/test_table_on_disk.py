"""Tables that do not fit a block: the same sequences, in little memory, and nothing left behind."""

import gc
import tracemalloc

import numpy as np
import pandas as pd
import pytest

from tests.refusals import refusal
from tests.sources.test_table import config, every, open_table, write
from unroll.base.errors import UserError
from unroll.data import npy
from unroll.data.fitting import fit_codecs
from unroll.data.source import SPLITS
from unroll.data.store import open_prepared
from unroll.data.writer import write_prepared
from unroll.readers import csv as csv_format
from unroll.readers import parquet as parquet_format
from unroll.readers import text as text_format
from unroll.readers.common import numbers
from unroll.sources import Access, open_source
from unroll.sources.common import stored_texts


@pytest.fixture
def small(monkeypatch):
    """Blocks of a few rows."""
    monkeypatch.setattr(csv_format, "BLOCKS", (64, 1 << 20))
    monkeypatch.setattr(parquet_format, "ROWS", 3)
    monkeypatch.setattr(npy, "STRETCH", 8)
    monkeypatch.setattr(stored_texts, "STRETCH", 8)
    monkeypatch.setattr(stored_texts, "WINDOW", 2)
    monkeypatch.setattr(numbers, "SCATTER", 5)
    monkeypatch.setattr(stored_texts, "SCATTER", 4)


def table(rows: int = 90, sequences: int = 9) -> pd.DataFrame:
    """Rows of sequences in a random order; times rise within each."""
    draw = np.random.default_rng(1)
    names = draw.integers(sequences, size=rows)
    return pd.DataFrame({"id": [f"s{name}" for name in names], "t": np.arange(rows), "a": draw.normal(size=rows),
                         "b": draw.normal(size=rows), "p": names % 2, "q": draw.integers(2, size=rows),
                         "word": [f"w{'o' * number}" for number in draw.integers(9, size=rows)],
                         "tag": [f"tag{number}" for number in draw.integers(3, size=rows)]})


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize("mixed", [True, False])
def test_sequences_are_those_of_the_rows_in_whatever_blocks_they_come(tmp_path, small, ending, mixed):
    frame = table() if mixed else table().sort_values(["id", "t"], kind="stable")
    write(tmp_path)
    for number, part in enumerate((frame[:50], frame[50:])):
        file = tmp_path / "data" / "raw" / f"{number}.{ending}"
        part.to_csv(file, index=False) if ending == "csv" else part.to_parquet(file)
    source = open_table(config(series="id", time="t", columns={"x": ["a", "b"], "y": ["p", "q"], "tag": ["tag"],
                                                               "kind": ["word", "id"]},
                               inputs={"x": "real", "kind": "categories"}, targets={"y": "labels", "tag": "tag"}),
                        tmp_path)
    found = {place.name: piece for split in SPLITS
             for place, piece in zip(source.places(split), source.pieces(split), strict=True)}
    expected = {name: rows for name, rows in frame.groupby("id", sort=False)}
    assert len(expected) == 9 and found.keys() == expected.keys()
    for name, rows in expected.items():
        assert found[name]["x"].tolist() == rows[["a", "b"]].to_numpy().tolist()
        assert found[name]["y"].tolist() == rows[["p", "q"]].to_numpy().tolist() and found[name]["y"].dtype == np.uint8
        assert found[name]["tag"].tolist() == rows["tag"].tolist()
        assert found[name]["kind"].tolist() == rows[["word", "id"]].to_numpy().tolist()


@pytest.mark.parametrize(("names", "row"), [
    ("aaabbbccc" * 3, 11), ("a" * 30 + "b" * 30 + "a", 62), ("abcdefghijklmnopqrstuvwxyzc", 28), ("aaaaaaaaaaaaaaabbbbbbbbbbbccc", None),
])
def test_a_sequence_that_continues_after_others_is_named_by_its_row(tmp_path, small, names, row):
    write(tmp_path, "id,a\n" + "".join(f"{name},1\n" for name in names))
    asked = config(series="id", columns={"x": ["a"]}, targets={"x": "next"}, validation=0.4, test=0.4)
    if row is None:
        assert sorted(len(piece["x"]) for piece in every(open_table(asked, tmp_path))) == [3, 11, 15]
    else:
        assert refusal(lambda: open_table(asked, tmp_path), f"{tmp_path}/data/raw/") == (
            "out-of-order", f"1.csv, row {row}, column 'id'")


def test_a_value_that_differs_within_a_sequence_is_named_in_whatever_block_it_is(tmp_path, small):
    frame = table(200)
    frame["whole"] = np.where(frame.index % 5 > 0, frame["p"].astype(str), "")      # p is the same in a sequence
    asked = config(series="id", time="t", columns={"x": ["a", "b"], "y": ["whole"]}, targets={"y": "class"})
    write(tmp_path, frame.to_csv(index=False))
    assert {piece["y"] for piece in every(open_table(asked, tmp_path))} == {"0", "1"}
    write(tmp_path, frame.assign(whole=frame["whole"].where(frame.index != 151, "other")).to_csv(index=False))
    assert refusal(lambda: open_table(asked, tmp_path), f"{tmp_path}/data/raw/") == (
        "conflict", "1.csv, row 153, column 'whole'")


@pytest.mark.parametrize("mixed", [True, False])
def test_texts_are_those_of_the_rows_in_whatever_blocks_they_come(tmp_path, small, mixed):
    frame = table() if mixed else table().sort_values(["id", "t"], kind="stable")
    write(tmp_path, frame.to_csv(index=False))
    text = {"inputs": {"x": "tokens"}, "tokenizer": {"kind": "char", "min_count": 1}, "columns": {"x": ["word"]}}
    source = open_table(config(series="id", time="t", **text), tmp_path)
    found = {place.name: piece["x"] for split in SPLITS
             for place, piece in zip(source.places(split), source.pieces(split), strict=True)}
    assert found == {name: "".join(rows["word"]) for name, rows in frame.groupby("id")}
    rows = open_table(config(**text), tmp_path)
    assert sorted(piece["x"] for piece in every(rows)) == sorted(frame["word"])
    assert [place.name for place in rows.places("test")] == sorted((place.name for place in rows.places("test")), key=int)


def test_an_error_of_any_block_is_the_first_one_of_the_first_column(tmp_path, small):
    lines = ["a,b,t"] + [f"{row},{row},{row}" for row in range(40)]
    lines[10], lines[20], lines[30] = "9,x,9", "y,19,19", "z,29,5"
    write(tmp_path, "\n".join(lines))
    assert refusal(lambda: open_table(config(time="t"), tmp_path), f"{tmp_path}/data/raw/") == (
        "bad-number", "1.csv, row 21, column 'a'")
    lines[20] = lines[30] = lines[10] = "1,1,1"
    lines[2] = "1,1,1000"
    write(tmp_path, "\n".join(lines))
    assert refusal(lambda: open_table(config(time="t"), tmp_path), f"{tmp_path}/data/raw/") == (
        "out-of-order", "1.csv, row 4, column 't'")


@pytest.mark.parametrize(("stamps", "row"), [
    (["2026-01-01T00:00:00.000000001"] + [f"2026-01-01T00:00:00.{n:09}" for n in range(2, 40)], None),
    ([f"{year}-01-01" for year in range(2200, 2400)], None),
    ([f"{year}-01-01" for year in range(2200, 2400)] + ["2300-01-01"], 202),
    ([str(1_700_000_000_000_000_000 + n) for n in range(50)] + ["x"], 52),
    ([str(n) for n in range(50)] + ["50.5", "50.25"], 53),
])
def test_times_of_all_blocks_are_read_in_one_way(tmp_path, small, stamps, row):
    write(tmp_path, "t,a\n" + "".join(f"{stamp},1\n" for stamp in stamps))
    asked = config(time="t", columns={"x": ["a"]})
    if row is None:
        assert sum(len(piece["x"]) for piece in every(open_table(asked, tmp_path))) == len(stamps)
    else:
        with pytest.raises(UserError) as caught:
            open_table(asked, tmp_path)
        assert caught.value.where.endswith(f"row {row}, column 't'")


def test_a_stream_in_stretches_is_prepared_like_one_in_memory(tmp_path, monkeypatch):
    frame = table()
    write(tmp_path, frame.to_csv(index=False))
    asked = config(columns={"x": ["a", "b"], "tag": ["tag"]}, targets={"x": "next", "tag": "tag"})
    specs = []
    for name, stretch in (("whole", npy.STRETCH), ("stretches", 8)):
        monkeypatch.setattr(npy, "STRETCH", stretch)
        source, origin = open_source(asked, Access(tmp_path))
        assert len(list(source.pieces("train"))) == (1 if name == "whole" else 27)
        write_prepared(tmp_path / name, asked, source, origin, fit_codecs(asked, source))
        specs.append(open_prepared(tmp_path / name).spec)
    arrays = [sorted(folder.rglob("*.npy")) for folder in (tmp_path / "whole", tmp_path / "stretches")]
    assert len(arrays[0]) == 6 and [a.read_bytes() for a in arrays[0]] == [b.read_bytes() for b in arrays[1]]
    whole, parts = (spec.inputs["x"].scale for spec in specs)
    np.testing.assert_allclose(whole.mean + whole.deviation, parts.mean + parts.deviation, rtol=1e-12)
    assert specs[0].splits == specs[1].splits


def test_a_number_of_a_later_stretch_is_named_by_it(tmp_path, small):
    write(tmp_path, "a\n" + "".join(f"{1e39 if step == 20 else step}\n" for step in range(60)))
    source, _ = open_source(asked := config(columns={"x": ["a"]}), Access(tmp_path))
    codecs = fit_codecs(asked.model_copy(update={"columns": {}}), _without(source, 1e39))
    with pytest.raises(UserError) as caught:
        write_prepared(tmp_path / "out", asked, source, None, codecs)
    assert caught.value.where == "data.x, sequence '1', in the train split, from step 17 on, step 5, number 1"


def _without(source, value):
    class Clean(type(source)):
        def pieces(self, split):
            return ({name: np.where(values == value, 0, values) for name, values in piece.items()}
                    for piece in source.pieces(split))

        def places(self, split):
            return source.places(split)

    return Clean({}, {})


def test_nothing_is_left_in_the_folder_for_temporary_files(tmp_path):
    write(tmp_path, table().to_csv(index=False))
    (tmp_path / "scratch").mkdir()
    source, _ = open_source(config(), Access(tmp_path, scratch=tmp_path / "scratch"))
    assert every(source) and not list((tmp_path / "scratch").iterdir())


@pytest.mark.parametrize("mixed", [False, True])
def test_memory_does_not_grow_with_the_table(tmp_path, monkeypatch, mixed):
    monkeypatch.setattr(npy, "STRETCH", 1 << 12)
    monkeypatch.setattr(csv_format, "BLOCKS", (1 << 16, 1 << 26))
    monkeypatch.setattr(text_format, "BLOCK", 1 << 16)
    asked = config(series="id", time="t", columns={"x": ["a", "b"], "tag": ["tag"]}, targets={"tag": "tag"})
    peaks = []
    for rows in (40_000, 40_000, 320_000):      # twice: the first one imports what is needed
        folder = tmp_path / str(len(peaks))
        names = np.arange(rows) % (rows // 1000) if mixed else np.arange(rows) // 1000
        write(folder, table(rows).assign(id=names).to_csv(index=False))
        gc.collect()
        tracemalloc.start()
        source, origin = open_source(asked, Access(folder))
        write_prepared(folder / "out", asked, source, origin, fit_codecs(asked, source))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[2] - max(peaks[:2]) < 280_000 * 3 * 8 / 10, "of the values alone, a tenth"
