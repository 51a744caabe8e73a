"""What aeon brings along, and files of its own format: the archive's split, and what padding costs."""

import textwrap
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import REPOSITORY
from tests.refusals import refusal
from unroll.base.errors import UserError
from unroll.compose import compose
from unroll.config.sources.aeon import Settings as AeonData
from unroll.config.sources.ts import Settings as TsData
from unroll.data.batches import ItemLayout, all_batches
from unroll.data.fields import IGNORED, Field, Sequences
from unroll.data.source import SPLITS, Origin, Source
from unroll.readers import ts as ts_format
from unroll.sources import Access, digest, open_source
from unroll.sources.common.memory import Items

pytest.importorskip("aeon")

CLASSES = {"gunpoint": (1, 150, 150, 2, {"train": 40, "validation": 10, "test": 150}),
           "basic_motions": (6, 100, 100, 4, {"train": 32, "validation": 8, "test": 40}),      # 2.5 of ten are two
           "japanese_vowels": (12, 7, 29, 9, {"train": 216, "validation": 54, "test": 370})}


@cache
def configured(name: str) -> AeonData:
    return compose(REPOSITORY / "conf", [f"experiment={name}"])[1].data


def open_archive(config: Any, project: Path) -> tuple[Source, Origin]:
    return open_source(config, Access(project))


@cache
def opened(name: str) -> Source:
    return open_archive(configured(name), REPOSITORY)[0]


def pieces(name: str, split: Any) -> list[dict[str, Any]]:
    return list(opened(name).pieces(split))


@pytest.mark.parametrize("name", CLASSES)
def test_a_data_set_has_the_archives_own_test_split(name):
    features, shortest, longest, classes, counts = CLASSES[name]
    assert opened(name).layout == "items"
    made = {split: pieces(name, split) for split in SPLITS}
    assert {split: len(each) for split, each in made.items()} == counts
    lengths = {len(piece["x"]) for each in made.values() for piece in each}
    assert (min(lengths), max(lengths)) == (shortest, longest)
    assert {piece["x"].shape[1] for each in made.values() for piece in each} == {features}
    assert {split: len({piece["label"] for piece in each}) for split, each in made.items()} == dict.fromkeys(SPLITS, classes)


@pytest.mark.parametrize("name", CLASSES)
def test_validation_has_each_class_in_its_share(name):
    train, validation = (Counter(piece["label"] for piece in pieces(name, split)) for split in ("train", "validation"))
    for label, count in train.items():
        share = validation[label] / (validation[label] + count)
        assert share == pytest.approx(configured(name).validation, abs=0.06)


def test_a_case_is_turned_to_a_row_a_step():
    from aeon.datasets import load_japanese_vowels

    x, y = load_japanese_vowels(split="test")
    made = pieces("japanese_vowels", "test")
    for number in (0, 100, 369):
        assert np.array_equal(made[number]["x"].T, x[number]) and made[number]["label"] == y[number]


def test_a_value_a_sequence():
    made = {split: pieces("covid", split) for split in SPLITS}
    assert {split: len(each) for split, each in made.items()} == {"train": 112, "validation": 28, "test": 61}
    assert all(piece["x"].shape == (84, 1) and 0 <= piece["y"] < 1 for each in made.values() for piece in each)


@pytest.mark.parametrize(("name", "steps"), [("airline", 144), ("solar", 289)])
def test_a_series_is_cut_in_time(name, steps):
    config = configured(name)
    assert config.forecast is not None
    made = [next(iter(opened(name).pieces(split)))["x"] for split in SPLITS]
    before = config.forecast.context + config.forecast.season
    assert len(made[0]) + len(made[1]) - before + len(made[2]) - before == steps
    assert np.array_equal(made[1][:before], made[0][-before:])


def test_airline_is_box_and_jenkins():
    assert pieces("airline", "train")[0]["x"][:5, 0].tolist() == [112, 118, 132, 129, 121]


def test_bucketing_keeps_padding_low_where_lengths_differ_most():
    """Utterances of 7 to 29 steps: below 15 % in every epoch, where batches by chance have far more."""
    made = pieces("japanese_vowels", "train")
    lengths = np.array([len(piece["x"]) for piece in made])
    ends = np.cumsum(lengths)
    bounds = np.stack([ends - lengths, ends], axis=1)
    values = np.concatenate([piece["x"] for piece in made])
    data = Sequences({"x": Field(values, "step", np.nan, np.float32)},
                     {"label": Field(np.arange(len(made)), "sequence", IGNORED, np.int64)}, bounds)
    for size in (16, 32):
        layout = ItemLayout(data, size, seed=1)
        assert layout.padding() < 0.15
        for epoch in (0, 1):
            padded = [np.isnan(layout.batch(index, epoch).inputs["x"][:, layout.batch(index, epoch).lengths > 0]).mean()
                      for index in range(len(layout))]
            assert np.mean(padded) < 0.15
    by_chance = np.random.default_rng(0).permutation(lengths)
    chance = [by_chance[at : at + 32] for at in range(0, len(lengths), 32)]
    assert 1 - lengths.sum() / sum(len(each) * each.max() for each in chance) > 0.3
    seen = [int(each) for batch in all_batches(ItemLayout(data, 32, 1)) for each in batch.targets["label"] if each >= 0]
    assert sorted(seen) == [*range(len(made))]


def test_opening_twice_is_the_same_source_and_another_seed_validates_others():
    config = configured("gunpoint")
    assert digest(opened("gunpoint")) == digest(open_archive(config, REPOSITORY)[0])
    other = open_archive(config.model_copy(update={"seed": 2}), REPOSITORY)[0]
    assert digest(other) != digest(opened("gunpoint"))
    assert [piece["x"][0, 0] for piece in other.pieces("test")] == [piece["x"][0, 0] for piece in pieces("gunpoint", "test")]


def test_the_source_says_what_it_is():
    _, origin = open_source(configured("gunpoint"), Access(REPOSITORY))
    assert origin.name == "GunPoint of the UCR and UEA archives"
    assert origin.licence == "not stated by the archive; cite timeseriesclassification.com"


@pytest.mark.parametrize(("name", "changes", "code", "where"), [
    ("covid", {"targets": {"y": "class"}}, "unsupported", "data.targets"),
    ("gunpoint", {"targets": {"label": "tag"}}, "unsupported", "data.targets.label"),
    ("basic_motions", {"targets": {"label": "value"}},
     "wrong-type", "data.targets.label"),
    ("airline", {"test": None}, "missing-value", "data"),
])
def test_a_target_that_the_archive_has_not_is_one_line(name, changes, code, where):
    assert refusal(lambda: open_archive(configured(name).model_copy(update=changes), REPOSITORY)) == (code, where)


@pytest.mark.usefixtures("without_aeon")
def test_a_missing_aeon_is_one_line_that_names_the_extra():
    with pytest.raises(UserError, match=r"^aeon: not installed, .*Install the extra: pip install 'unroll\[aeon\]'"):
        open_archive(configured("gunpoint"), REPOSITORY)


# ---------------------------------------------------------------------------------------------------------- .ts files

HEADER = """\
    @problemName small
    @timestamps false
    @missing false
    @univariate {univariate}
    @equallength {equal}
    {target}
    @data
    """


def ts(folder, name: str, rows: list[str], target: str = "@classLabel true a b", univariate: bool = True,
       equal: bool = True) -> str:
    file = folder / "data" / "raw" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    header = HEADER.format(univariate=str(univariate).lower(), equal=str(equal).lower(), target=target)
    file.write_text(textwrap.dedent(header) + "\n".join(rows) + "\n")
    return f"data/raw/{name}"


def config(train: str, test: Any, target: str = "class") -> TsData:
    return TsData(kind="ts", train=train, test=test, scale="none", missing="refuse", licence="CC0", inputs={"x": "real"},
                  targets={"y": target}, validation=0.2, seed=1)


def read(made: TsData, folder) -> dict[str, list[dict[str, Any]]]:
    source = open_source(made, Access(folder))[0]
    assert isinstance(source, Items)
    return {split: list(source.pieces(split)) for split in SPLITS}


def test_two_files_are_training_and_test(tmp_path):
    train = ts(tmp_path, "train.ts", [f"{number},{number + 1},{number + 2}:{'ab'[number % 2]}" for number in range(10)])
    test = ts(tmp_path, "test.ts", ["7,8,9:a", "1,1,1:b"])
    made = read(config(train, test), tmp_path)
    assert {split: len(each) for split, each in made.items()} == {"train": 8, "validation": 2, "test": 2}
    assert [(piece["x"].tolist(), piece["y"]) for piece in made["test"]] == [
        ([[7], [8], [9]], "a"), ([[1], [1], [1]], "b"),
    ]


def test_one_file_is_dealt_each_class_alike(tmp_path):
    train = ts(tmp_path, "all.ts", [f"{number},0:{'ab'[number % 2]}" for number in range(20)])
    made = read(config(train, 0.2), tmp_path)
    assert {split: Counter(piece["y"] for piece in each) for split, each in made.items()} == {
        "train": {"a": 6, "b": 6}, "validation": {"a": 2, "b": 2}, "test": {"a": 2, "b": 2},
    }


def test_sequences_of_unequal_length_and_several_columns(tmp_path):
    rows = ["1,2,3:4,5,6:a", "1,2:3,4:b", "5,6,7,8:1,2,3,4:a", "0,1:0,1:b"]
    train = ts(tmp_path, "train.ts", rows, univariate=False, equal=False)
    made = read(config(train, train), tmp_path)["test"]
    assert [piece["x"].tolist() for piece in made[:2]] == [[[1, 4], [2, 5], [3, 6]], [[1, 3], [2, 4]]]


def test_a_value_a_sequence_of_a_file(tmp_path):
    train = ts(tmp_path, "train.ts", [f"1,2:{number / 2}" for number in range(10)], target="@targetlabel true")
    made = read(config(train, 0.2, "value"), tmp_path)
    assert sorted(piece["y"] for each in made.values() for piece in each) == [number / 2 for number in range(10)]


@pytest.mark.parametrize("equal", [True, False])
def test_a_file_that_is_read_in_blocks_is_the_same(tmp_path, monkeypatch, equal):
    rows = [f"{number},2{',3' * (0 if equal else number % 3)}:{'ab'[number % 2]}" for number in range(20)]
    made = config(ts(tmp_path, "all.ts", rows, equal=equal), 0.2)
    whole = [piece["x"].tolist() for piece in read(made, tmp_path)["train"]]
    monkeypatch.setattr(ts_format, "BLOCK", 20)
    assert [piece["x"].tolist() for piece in read(made, tmp_path)["train"]] == whole
    assert len(list(ts_format.blocks(tmp_path / "data" / "raw" / "all.ts"))) > 5
    (tmp_path / "scratch").mkdir()
    source, _ = open_source(made, Access(tmp_path, scratch=tmp_path / "scratch"))
    assert list(source.pieces("train")) and not list((tmp_path / "scratch").iterdir())


@pytest.mark.parametrize(("row", "equal", "word"), [
    ("1,2,3:4,5,6:a", True, "case 16"), ("1,2,x:a", False, "'x'"), ("1,2:3,4:a", False, "case 16"), ("1,2,3:a", True, "case 16"),
])
def test_a_case_of_a_later_block_is_refused_by_its_number(tmp_path, monkeypatch, row, equal, word):
    rows = [f"{number + 10},2:a" for number in range(20)]
    rows[15] = row
    ts(tmp_path, "a.ts", rows, equal=equal, univariate=False)
    for block in (1 << 20, 21, 7):
        monkeypatch.setattr(ts_format, "BLOCK", block)
        with pytest.raises(UserError) as caught:
            read(config("data/raw/a.ts", 0.2), tmp_path)
        assert caught.value.code == "unreadable" and word in caught.value.text


def test_a_gap_of_a_later_block_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(ts_format, "BLOCK", 20)
    ts(tmp_path, "a.ts", [f"{number + 10},{'?' if number == 15 else 2}:a" for number in range(20)])
    assert refusal(lambda: read(config("data/raw/a.ts", 0.2), tmp_path), f"{tmp_path}/data/raw/") == (
        "missing-number", "a.ts, sequence 16, dimension 1, step 2")


@pytest.mark.parametrize("content", ["", "one,two\n1,2\n", "@problemName a\n@classLabel true a b\n@data\n1,2:a\n1,x:b\n",
                                     "@problemName a\n@data\n", "\0\1\2"])
def test_a_file_that_is_none_of_the_archives_is_one_line(tmp_path, content):
    file = tmp_path / "data" / "raw" / "a.ts"
    file.parent.mkdir(parents=True)
    file.write_text(content)
    with pytest.raises(UserError, match=r"a\.ts: not a \.ts file that aeon reads: ") as caught:
        read(config("data/raw/a.ts", 0.2), tmp_path)
    assert "\n" not in str(caught.value)


def test_a_file_without_classes_is_one_line(tmp_path):
    ts(tmp_path, "a.ts", ["1,2", "3,4"], target="@classLabel false")
    with pytest.raises(UserError, match=r"a\.ts: its sequences have no class and no value to be learnt\."):
        read(config("data/raw/a.ts", 0.2), tmp_path)


def test_several_files_for_a_split_are_one_line(tmp_path):
    for name in ("a.ts", "b.ts"):
        ts(tmp_path, name, ["7,8,9:a", "1,1,1:b"])
    with pytest.raises(UserError, match=r"'data/raw/\*\.ts' is 2 files, a\.ts and b\.ts among them; a split is one"):
        read(config("data/raw/*.ts", 0.2), tmp_path)


def test_a_file_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(UserError, match=r'no such file "data/raw/z\.ts"'):
        read(config("data/raw/z.ts", 0.2), tmp_path)
